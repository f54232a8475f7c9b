package test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The whole suite once more as an ordinary user (make test-rootless): TestMain starts itself again in a user namespace that the user
// has made, with the ids that newuidmap gives, and namespaces for mounts and the network. What is root there has no right over the
// machine: every lab, lesson and walkthrough stands on what the kernel grants to anybody.
//
//	TestAsAUser            the part of it that says something new, in make test
//	TestExceptionsAreTests an exception is the name of a test

// userVariable is "on" where the suite is to run as an ordinary user, and the program's path where it does.
const userVariable = "USWITCH_USER"

// root is what root does for a user who has none of it: a /dev/net/tun for everybody, a name, subordinate ids, and the sources, in
// a directory that the user can enter. Arguments: the user's id, a directory, the sources.
const root = `set -e; id=$1 dir=$2 src=$3; shift 3
mkdir -p "$dir/mnt"; mount -t tmpfs -o dev,mode=755 none "$dir/mnt"; cd "$dir/mnt"
mknod -m 666 tun c 10 200; mount --bind tun /dev/net/tun
for f in passwd group subuid subgid; do
	case $f in passwd) line=user-$id:x:$id:$id::/tmp:/bin/sh;; group) line=user-$id:x:$id:;; *) line=user-$id:200000:100000;; esac
	{ cat /etc/$f; echo "$line"; } >$f; mount --bind $f /etc/$f
done
mkdir src home; chown "$id:$id" home; mount --bind "$src" src; cd src/test
exec setpriv --reuid "$id" --regid "$id" --clear-groups env HOME="$dir/mnt/home" "$@"`

// theUser makes the namespaces.
const theUser = `set -e
mount -t tmpfs -o mode=755 none /run; mkdir -p /run/netns /run/lock; [ ! -d /etc/netns ] || mount -t tmpfs none /etc/netns
mount -t sysfs none /sys; ip link set lo up; exec "$@"`

// exceptions are the tests that cannot hold for an ordinary user in a namespace, and why.
var exceptions = map[string]string{
	"TestAsUser": "is how this suite is begun", "TestPlaces": another, "TestLessonsOnBusybox": another, "TestRootlessRun": another,
	"TestRootlessBackground": another, "TestRootlessSubordinate": another, "TestRootlessElsewhere": another,
	"TestRootlessSideBySide": another, "TestRootlessKilled": another, "TestRootlessOutside": another, "TestRootlessLessons": another,
	"TestPage/Ordinary": another, "TestRootlessRights": another, "TestRightsAreAsShown": "is about the machine's own root; TestRootlessRights is about that of a namespace",
	"TestInstall": ofSources, "TestImports": ofSources, "TestTheTopLevelIsFixed": ofSources, "TestNobodysMachine": ofSources,
	"TestToolsKnowTheSocketAlone": ofSources, "TestEveryPackageIsIntroduced": ofSources, "TestBytesAreWrittenInOnePlace": ofSources,
	"TestNoDeadWords": ofSources,
}

const (
	another   = "makes a user or a place of its own, with device files, which only the machine's root can"
	ofSources = "is about the sources and the go command, not about a lab"
)

// leaveOut has the tests of this process skip the exceptions, which it prints.
func leaveOut() {
	names := slices.Sorted(maps.Keys(exceptions))
	for _, name := range names {
		fmt.Printf("not as a user: %s: %s\n", name, exceptions[name])
	}
	skip := []string{}
	for _, name := range names {
		skip = append(skip, "^"+strings.ReplaceAll(name, "/", "$/^")+"$") // a part of a test, if there is a slash
	}
	if more := flag.Lookup("test.skip").Value.String(); more != "" {
		skip = append(skip, more)
	}
	_ = flag.Set("test.skip", strings.Join(skip, "|"))
}

// asUser returns the command that is this test program as an ordinary user's, with other arguments. The directory of the program under
// test is one that everybody may enter from then on.
func asUser(args ...string) (*exec.Cmd, error) {
	dir := filepath.Dir(uswitch)
	self := filepath.Join(dir, "test")
	if text, err := exec.Command("sh", "-c", `cp "$1" "$2" && chmod 755 "$2" "$3"`, "sh", os.Args[0], self, dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	argv := append([]string{"unshare", "-Urmn", "--map-auto", "sh", "-c", theUser, "sh", self}, args...)
	if os.Getuid() == 0 {
		src, err := filepath.Abs("..")
		if err != nil {
			return nil, err
		}
		argv = append([]string{"unshare", "-m", "sh", "-c", root, "sh", fmt.Sprint(80000 + os.Getpid()%10000), dir, src}, argv...)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), userVariable+"="+uswitch)
	return cmd, nil
}

// again runs the tests that this process was asked for as an ordinary user, and returns their status.
func again() int {
	// The file that the go command wants of a test lies in a directory of its own.
	args := slices.DeleteFunc(slices.Clone(os.Args[1:]), func(arg string) bool { return strings.HasPrefix(arg, "-test.testlogfile") })
	cmd, err := asUser(args...)
	if err == nil {
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		err = cmd.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// tellingAsUser are tests in which a user namespace may come out otherwise than the machine's own: interfaces that are changed and
// deleted, namespaces that others made, ways out, offload, tunnels, what is left of a lab that was killed.
var tellingAsUser = []string{
	"TestAdopted", "TestTwoLabs", "TestF53NamespaceDeleted", "TestF54NICDeleted", "TestF55NICDownAndUp", "TestF60Killed", "TestF86ApplyUnderTraffic",
	"TestN16TenMebibytes", "TestPublishLive", "TestIPv6", "TestTunnelToTheKernel", "TestW5Docker", "TestFilesOfHosts",
}

func TestAsUser(t *testing.T) {
	needs(t, "unshare", "setpriv", "newuidmap", "nsenter")
	t.Parallel()
	cmd, err := asUser("-test.v", "-test.timeout=15m", "-test.run=^("+strings.Join(tellingAsUser, "|")+")$")
	if err != nil {
		t.Fatal(err)
	}
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	for _, name := range tellingAsUser {
		contains(t, string(text), "--- PASS: "+name+" (")
	}
}

// TestExceptionsAreTests: what the table names is there, and says why.
func TestExceptionsAreTests(t *testing.T) {
	text := must(t, "sh", "-c", "cat *_test.go")
	for name, why := range exceptions {
		name, part, _ := strings.Cut(name, "/")
		if !strings.Contains(text, "\nfunc "+name+"(t *testing.T)") || !strings.Contains(text, `"`+part) || why == "" {
			t.Errorf("%s: %q", name, why)
		}
	}
}

package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDockerRights: what a container must not do, it cannot; what nobody acts on is told of.
func TestDockerRights(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, "name: lab@\nservices: {}\nx-uswitch: {docker0: true, uplink: none}\n")
	l.upInBackground()
	file := filepath.Join(t.TempDir(), "file")
	for _, test := range []struct {
		args string
		want string
	}{
		{"--user 4711:12 alpine id", "uid=4711 gid=12"},
		{"--cap-drop NET_RAW alpine grep CapEff /proc/self/status", "00000000a80405fb"},
		{"--cap-drop ALL --cap-add NET_ADMIN alpine grep CapEff /proc/self/status", "0000000000001000"},
		{"--security-opt no-new-privileges alpine grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"},
		{"--read-only alpine touch " + file, "Read-only file system"},
		{"--ulimit nofile=64:128 alpine sh -c ulimit\\ -n;ulimit\\ -Hn", "64\n128\n"},
		{"-w /usr alpine pwd", "/usr\n"},
		{"-e A=b alpine env", "A=b\n"},
		{"--security-opt seccomp=x --memory 7m alpine true", `SecurityOpt "seccomp=x" is not acted on`},
		{"--memory 7m alpine true", "not acted on: --memory"},
	} {
		args := append([]string{"docker", "run", "--rm", "--network", "none"}, words(test.args)...)
		if out, _ := l.uswitch(args...).CombinedOutput(); !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %s", test.args, out)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a container that must not has written a file")
	}
	l.do("docker", "run", "-d", "--name", "bound"+l.suffix, "--network", "none", "--user", "4711:12", "-e", "A=b", "alpine", "sleep", "300")
	for args, want := range map[string]string{"id": "uid=4711 gid=12", "env": "A=b\n"} {
		if out := l.do("docker", "exec", "bound"+l.suffix, args); !strings.Contains(out, want) {
			t.Errorf("exec %s: %s", args, out)
		}
	}
	if out := l.do("docker", "exec", "-u", "0", "-e", "C=d", "-w", "/usr", "bound"+l.suffix, "sh", "-c", "id -u; echo $C; pwd"); out != "0\nd\n/usr\n" {
		t.Errorf("exec: %q", out)
	}
}

// words splits at blanks, but not at those behind a backslash.
func words(line string) (all []string) {
	for _, word := range strings.Fields(strings.ReplaceAll(line, `\ `, "\x00")) {
		all = append(all, strings.ReplaceAll(word, "\x00", " "))
	}
	return all
}

// TestHostsInheritNothing: a host's program finds in its environment what the file says and where it is, and no descriptor of
// who has started the lab; what a person runs there keeps theirs.
func TestHostsInheritNothing(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, `name: lab@
services:
  RED@:
    command: [sh, -c, 'env; ls -l /proc/self/fd; echo done; exec sleep 1000']
    environment: {SAID: so}
    user: "4711"
x-uswitch: {uplink: none}
`)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	open, err := os.Open(secret)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	cmd := l.uswitch("up", "-d", l.file)
	cmd.Env = append(cmd.Environ(), "S3CRET=x")
	cmd.ExtraFiles = []*os.File{open, open}
	t.Cleanup(func() { l.try("down", l.name) })
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var logs string
	eventually(t, "RED has said it", func() bool {
		logs = l.do("logs", l.ns("RED"))
		return strings.Contains(logs, "done")
	})
	for _, want := range []string{"SAID=so", "PATH=" + os.Getenv("PATH"), "HOME=/", "HOSTNAME=", "USWITCH_LAB=" + l.name, "USWITCH_HOST=" + l.ns("RED")} {
		if !strings.Contains(logs, want) {
			t.Errorf("no %s in\n%s", want, logs)
		}
	}
	for _, never := range []string{"S3CRET", secret} {
		if strings.Contains(logs, never) {
			t.Errorf("%s in\n%s", never, logs)
		}
	}
	var lab struct{ PID int }
	l.get("lab", &lab)
	if out := must(t, "find", fmt.Sprintf("/proc/%d/fd", lab.PID), "-lname", secret); out != "" {
		t.Errorf("the lab's process has a descriptor of who has started it: %s", out)
	}
	mine := l.uswitch("exec", l.ns("RED"), "env")
	mine.Env = append(mine.Environ(), "S3CRET=mine")
	if out, err := mine.Output(); err != nil || !strings.Contains(string(out), "S3CRET=mine") || !strings.Contains(string(out), "SAID=so") {
		t.Errorf("%v: %s", err, out)
	}
	l.do("down", l.name)
	run := exec.Command(uswitch, "run", "--sim", "--trace", "off", l.file, "--", "readlink", "/proc/self/fd/3")
	run.ExtraFiles = []*os.File{open}
	if out, err := run.Output(); err != nil || !strings.Contains(string(out), secret+"\n") {
		t.Errorf("what a person runs beside the lab lost a descriptor: %v: %s", err, out)
	}
}

// rightsLab has a host that nobody has given or taken anything, and others.
const rightsLab = `name: lab@
services:
  PLAIN@: {command: sleep 1000}
  MORE@: {command: sleep 1000, cap_add: [SYS_ADMIN]}
  ALL@: {command: sleep 1000, privileged: true}
x-uswitch: {uplink: none}
`

// TestRightsAreAsShown compares what show lab says of capabilities with /proc, and tries what is forbidden.
func TestRightsAreAsShown(t *testing.T) {
	needs(t, "unshare", "capsh", "swapoff")
	t.Parallel()
	l := newLab(t, rightsLab)
	l.upInBackground()
	shownRights(t, l.suffix, false, func(args ...string) (string, int) {
		out, errs, status := l.try(args...)
		return out + errs, status
	})
}

// TestRootlessRights is the same for an ordinary user, who has nothing over the machine.
func TestRootlessRights(t *testing.T) {
	t.Parallel()
	p := newOrdinary(t)
	p.do("up", "-d", p.write("lab.yaml", strings.ReplaceAll(rightsLab, "@", "")))
	defer p.try("down")
	shownRights(t, "", true, func(args ...string) (string, int) { return p.try(args...) })
}

func shownRights(t *testing.T, suffix string, namespace bool, try func(args ...string) (string, int)) {
	t.Helper()
	read := func(what string, v any) {
		if text, status := try("show", what, "-o", "json"); status != 0 || json.Unmarshal([]byte(text), v) != nil {
			t.Fatalf("show %s: status %d: %s", what, status, text)
		}
	}
	var lab struct {
		PID    int
		Rights struct {
			Kept, Programs, Other []string
			UserNamespace         bool `json:"user_namespace"`
		}
	}
	read("lab", &lab)
	other := []string{"MORE" + suffix, "ALL" + suffix}
	if namespace {
		other = nil // all of them have all
	}
	if lab.Rights.UserNamespace != namespace || !slices.Equal(lab.Rights.Other, other) {
		t.Errorf("said %+v", lab.Rights)
	}
	slices.Sort(lab.Rights.Kept)
	slices.Sort(lab.Rights.Programs)
	if got := inEffect(t, lab.PID, "CapEff"); !slices.Equal(got, lab.Rights.Kept) || slices.Contains(got, "SYS_MODULE") {
		t.Errorf("the process has %v, and says %v", got, lab.Rights.Kept)
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", lab.PID))
	if err != nil || len(threads) < 2 {
		t.Errorf("threads: %v, %v", threads, err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread) // one may have ended
		if _, set, _ := strings.Cut(statusOf(t, lab.PID), "CapPrm:\t"); err == nil && !strings.Contains(string(text), "CapPrm:\t"+set[:16]+"\nCapEff:\t"+set[:16]) {
			t.Errorf("a thread has other rights than its process:\n%s", text)
		}
	}
	var hosts []struct {
		Name string
		PID  int
	}
	read("hosts", &hosts)
	for _, h := range hosts {
		got, bounding := inEffect(t, h.PID, "CapEff"), inEffect(t, h.PID, "CapBnd")
		switch name := strings.TrimSuffix(h.Name, suffix); {
		case namespace:
			if !slices.Equal(got, lab.Rights.Programs) || !slices.Contains(got, "SYS_ADMIN") {
				t.Errorf("%s has %v, and what is said is %v", name, got, lab.Rights.Programs)
			}
		case name == "PLAIN":
			if !slices.Equal(got, lab.Rights.Programs) || !slices.Equal(bounding, got) || slices.Contains(got, "SYS_ADMIN") || !slices.Contains(got, "NET_ADMIN") {
				t.Errorf("PLAIN has %v of %v, and what is said is %v", got, bounding, lab.Rights.Programs)
			}
		case name == "MORE":
			if !slices.Equal(got, slices.Sorted(slices.Values(append(slices.Clone(lab.Rights.Programs), "SYS_ADMIN")))) {
				t.Errorf("MORE has %v", got)
			}
		case name == "ALL":
			if !slices.Contains(bounding, "SYS_MODULE") {
				t.Errorf("ALL has %v", bounding)
			}
		}
		for _, line := range []string{"NoNewPrivs:\t0", "Seccomp:\t0"} { // as show lab and help limits have it: neither is used
			if !strings.Contains(statusOf(t, h.PID), line) {
				t.Errorf("%s is not %s", h.Name, line)
			}
		}
		if links, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", h.PID)); err != nil || len(links) != 3 {
			t.Errorf("%s has %d descriptors: %v", h.Name, len(links), err)
		}
	}
	for host, works := range map[string]bool{"PLAIN": namespace, "MORE": true, "ALL": true} {
		if out, status := try("exec", host+suffix, "--", "unshare", "-m", "true"); (status == 0) != works {
			t.Errorf("a mount namespace in %s: status %d: %s", host, status, out)
		}
	}
	forbidden(t, "PLAIN"+suffix, namespace, try)
	if out, status := try("exec", "PLAIN"+suffix, "--", "ip", "link", "set", "lo", "mtu", "60000"); status != 0 {
		t.Errorf("a network is not PLAIN's to configure: %s", out)
	}
}

// forbidden tries in a host what only the machine's root may. A lab of root's keeps its programs from swap, modules and mounts
// alone, as show lab says; a rootless one from all of it.
func forbidden(t *testing.T, host string, namespace bool, try func(args ...string) (string, int)) {
	t.Helper()
	open := t.TempDir()
	for dir := open; dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		line  string
		works bool
	}{
		{"swapoff /nowhere", false},
		{"mount -t tmpfs none " + open, namespace}, // in mounts of its own
		{"mknod " + open + "/disk b 240 0", !namespace},
		{"cat /etc/shadow", !namespace},
		{"kill -0 1", !namespace},
	} {
		out, status := try("exec", host, "--", "sh", "-c", test.line)
		refused := regexp.MustCompile(`(?i)not permitted|permission denied|not superuser`).MatchString(out)
		if (status == 0) != test.works || !test.works && !refused {
			t.Errorf("%s in %s: status %d: %s", test.line, host, status, out)
		}
	}
	if mounts, err := os.ReadFile("/proc/mounts"); err != nil || strings.Contains(string(mounts), open) {
		t.Errorf("a host's mount is the machine's: %v", err)
	}
}

// TestWhatCannotBeDropped: where rights cannot be given up, the lab says so once and runs, and doctor says what is so.
func TestWhatCannotBeDropped(t *testing.T) {
	needs(t, "setpriv")
	if os.Getenv("USWITCH_RACE") == "on" {
		t.Skip("a build with C in it keeps all, which doctor says")
	}
	t.Parallel()
	l := newLab(t, "name: lab@\nservices:\n  RED@: {command: sleep 1000}\nx-uswitch: {uplink: none}\n")
	const programs = "programs of hosts have all capabilities that uswitch has: without CAP_SETPCAP"
	for _, test := range []struct {
		cmd  *exec.Cmd
		says string
	}{
		{without(unix.SYS_CAPSET, l.file), "the lab's process keeps all capabilities that it has: the kernel refused to take any (capset)"},
		{exec.Command("setpriv", "--bounding-set", "-setpcap", uswitch, "run", "--trace", "off", l.file, "--", "true"), programs},
	} {
		text, err := test.cmd.CombinedOutput()
		if err != nil || strings.Count(string(text), test.says) != 1 {
			t.Errorf("%v: %s\nwants once: %s", err, text, test.says)
		}
	}
	if text := must(t, "setpriv", "--bounding-set", "-setpcap", uswitch, "doctor"); !strings.Contains(text, "programs have all that uswitch has, for without CAP_SETPCAP") {
		t.Error(text)
	}
	if text := must(t, uswitch, "doctor"); !strings.Contains(text, "programs have Docker's and NET_ADMIN") {
		t.Error(text)
	}
}

// inEffect reads a set of capabilities of a process, as the kernel has it: sorted names.
func inEffect(t *testing.T, pid int, set string) (names []string) {
	t.Helper()
	_, rest, _ := strings.Cut(statusOf(t, pid), set+":\t")
	text := must(t, "capsh", "--decode="+strings.TrimSpace(rest[:16]))
	_, list, _ := strings.Cut(strings.TrimSpace(text), "=")
	for name := range strings.SplitSeq(list, ",") {
		names = append(names, strings.ToUpper(strings.TrimPrefix(name, "cap_")))
	}
	slices.Sort(names)
	return names
}

func statusOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

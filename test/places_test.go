package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Places in which uswitch runs, or says why it does not: TestPlaces. In each the same lab is run, and uswitch doctor must have said
// how that goes.

// place is where a command runs.
type place struct {
	name string
	// What leads there: shell, run by root with mounts of its own and an empty /run, that has a directory of the place in $D, the
	// program in $U, and the command behind it. Or a container.
	way string
	in  *container

	mode string // what doctor finds: root, rootless or memory
	says string // what keeps a lab from coming up, and what would help, each behind the other; with a lab, what doctor says
}

// ordinarily is the end of a way of which the command is an ordinary user's.
const ordinarily = `exec setpriv --reuid 61000 --regid 61000 --clear-groups env HOME="$D/home" XDG_RUNTIME_DIR="$D/run" "$@"`

// In a user namespace in which as many as there are ids are mapped, and of which no other can be made.
const noUserNamespaces = `mkfifo a b; tun 666
unshare -U sh -c 'echo >a; read x <b; exec sh -c '\''echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"'\'' sh "$@"' sh \
	setpriv --reuid 61000 --regid 61000 --clear-groups env HOME="$D/home" XDG_RUNTIME_DIR="$D/run" "$@" &
read x <a; echo 0 0 65536 >/proc/$!/uid_map; echo 0 0 65536 >/proc/$!/gid_map; echo >b
status=0; wait $! || status=$?; rm a b; exit $status`

// A directory with the machine's files below it, which is no mount point.
const chroot = `mkdir -p root; for d in usr etc dev proc tmp bin lib lib64 sbin run sys; do mkdir -p root/$d; mount --rbind /$d root/$d; done; exec chroot root "$@"`

// A root that has nothing but busybox and the program, with what that is linked with.
const busybox = `mount -t tmpfs none /mnt; cd /mnt; mkdir -p bin dev etc proc run sys tmp old ".$D"; cp /bin/busybox bin
for f in $(ldd "$U" 2>/dev/null | grep -o '/[^ ]*'); do mkdir -p ".${f%/*}"; cp "$f" ".$f"; done
for d in dev proc sys; do mount --rbind /$d $d; done; mount -t tmpfs none run; mount --bind "$D" ".$D"
chroot . /bin/busybox --install -s /bin; pivot_root . old; cd /; umount -l /old; exec env -i PATH=/bin "$@"`

const dockerHint = "docker run --device /dev/net/tun --cap-add NET_ADMIN --cap-add SYS_ADMIN"

var places = []place{
	{name: "root", way: `exec "$@"`, mode: "root"},
	{name: "a user, tun 0666", way: `tun 666; ` + ordinarily, mode: "rootless"},
	{name: "a user, tun 0600", way: `tun 600; ` + ordinarily, mode: "memory", says: "/dev/net/tun cannot be opened: permission denied ... chmod 666 /dev/net/tun"},
	{name: "unshare -Urnm", way: `tun 666; ` + strings.Replace(ordinarily, `"$@"`, `unshare -Urnm "$@"`, 1), mode: "rootless"},
	{name: "unshare -Urnmpf", way: `tun 666; ` + strings.Replace(ordinarily, `"$@"`, `unshare -Urnmpf --mount-proc "$@"`, 1), mode: "rootless"},
	{name: "unshare -Urm, tmpfs on run", way: `tun 666; ` + strings.Replace(ordinarily, `"$@"`, `unshare -Urm sh -c 'mount -t tmpfs none /run; exec "$@"' sh "$@"`, 1), mode: "root"},
	{name: "max_user_namespaces 0", way: noUserNamespaces, mode: "memory", says: "a user namespace cannot be had ... user.max_user_namespaces is 0"},
	{name: "ip netns exec", way: `ip netns add H; ip netns exec H "$@"`, mode: "root"},
	{name: "ambient capabilities", way: `tun 666; mkdir -m 700 /run/service; chown 61000 /run/service; exec setpriv --reuid 61000 --regid 61000 --clear-groups --inh-caps +net_admin,+sys_admin --ambient-caps +net_admin,+sys_admin env -u HOME RUNTIME_DIRECTORY=/run/service "$@"`, mode: "rootless"},
	{name: "chroot", way: chroot, mode: "memory", says: "/ is no mount point ... pivot_root"},
	{name: "busybox", way: busybox, mode: "root"},
	{name: "busybox without a /run", way: strings.Replace(busybox, "mount -t tmpfs none run;", "rmdir run;", 1), mode: "root"},
	{name: "no HOME, no TERM", way: `exec env -u HOME -u TERM -u XDG_RUNTIME_DIR "$@"`, mode: "root"},
	{name: "a user without HOME", way: `tun 666; exec setpriv --reuid 61000 --regid 61000 --clear-groups env -u HOME -u XDG_RUNTIME_DIR "$@"`, mode: "memory", says: "XDG_RUNTIME_DIR"},
	{name: "no IPv6", way: `mount -t tmpfs none /proc/sys/net/ipv6; exec "$@"`, mode: "root"},

	{name: "Docker", in: &container{filter: "docker"}, mode: "memory", says: "/dev/net/tun is missing ... " + dockerHint},
	{name: "Docker, a user", in: &container{filter: "docker", user: 61000}, mode: "memory", says: "/dev/net/tun is missing ... " + dockerHint},
	{name: "Docker, tun", in: &container{filter: "docker", tun: true}, mode: "memory", says: "seccomp profile forbids user namespaces ... " + dockerHint},
	{name: "Docker, tun, NET_ADMIN", in: &container{filter: "docker", tun: true, caps: []string{"NET_ADMIN"}}, mode: "memory", says: dockerHint},
	{name: "Docker, tun, NET_ADMIN, SYS_ADMIN", in: &container{filter: "docker", tun: true, caps: []string{"NET_ADMIN", "SYS_ADMIN"}}, mode: "root"},
	{name: "Docker, the same, systempaths=unconfined", in: &container{filter: "docker", tun: true, caps: []string{"NET_ADMIN", "SYS_ADMIN"}, unmasked: true}, mode: "root"},
	{name: "Docker, tun, seccomp=unconfined", in: &container{tun: true}, mode: "rootless"},
	{name: "Docker, tun, seccomp=unconfined, cap-drop ALL", in: &container{tun: true, none: true}, mode: "memory", says: "CAP_SETFCAP ... " + dockerHint},
	{name: "Docker, tun, seccomp=unconfined, a user", in: &container{tun: true, user: 61000}, mode: "rootless"},
	{name: "no-new-privileges", in: &container{tun: true, user: 61000, noNewPriv: true}, mode: "rootless"},
	{name: "podman, tun", in: &container{filter: "podman", tun: true, env: []string{"container=podman"}}, mode: "rootless"},
	{name: "podman, tun, a user", in: &container{filter: "podman", tun: true, user: 61000, env: []string{"container=podman"}}, mode: "rootless"},
	{name: "privileged", in: privileged(), mode: "root"},
	{name: "privileged, read-only /sys", in: privileged("/sys"), mode: "root"},
	{name: "privileged, read-only /proc", in: privileged("/proc"), mode: "root"},
	{name: "privileged, read-only /run", in: privileged("/run"), mode: "rootless"},
	{name: "privileged, read-only /", in: privileged("/"), mode: "root"},
	{name: "privileged, read-only / and /run", in: privileged("/", "/run"), mode: "rootless"},
	{name: "read-only, no HOME", in: &container{tun: true, caps: []string{"NET_ADMIN", "SYS_ADMIN", "NET_BROADCAST"}, readOnly: []string{"/", "/run"}, env: []string{"HOME=/nowhere"}}, mode: "memory", says: "XDG_RUNTIME_DIR"},

	// Walls that this kernel lacks: seccomp returns their errno, and what names them stands where the kernel would have it.
	{name: "AppArmor, played", in: &container{tun: true, user: 61000, walls: []string{"clone", "unshare"}, files: map[string]string{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"}},
		mode: "memory", says: "a user namespace cannot be had ... abi <abi/4.0>, include <tunables/global> profile uswitch ... apparmor_parser"},
	{name: "unprivileged_userns_clone 0, played", in: &container{tun: true, user: 61000, walls: []string{"clone", "unshare"}, files: map[string]string{"/proc/sys/kernel/unprivileged_userns_clone": "0\n"}},
		mode: "memory", says: "a user namespace cannot be had ... kernel.unprivileged_userns_clone=1"},
	{name: "gVisor, played", in: &container{walls: []string{"clone", "unshare"}, files: map[string]string{"/proc/version": "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n"}},
		mode: "memory", says: "gVisor"},
}

// privileged is a container of docker run --privileged.
func privileged(readOnly ...string) *container {
	return &container{tun: true, unmasked: true, readOnly: readOnly, privileged: true}
}

// wayPreamble has what is in front of each way: /dev/net/tun may get another mode.
const wayPreamble = `
set -e
tun() { mount -t tmpfs -o dev none /mnt; mknod -m "$1" /mnt/tun c 10 200; mount --bind /mnt/tun /dev/net/tun; }
mount -t tmpfs -o mode=755 none /run; mkdir -p /run/netns
[ ! -d /etc/netns ] || mount -t tmpfs none /etc/netns
cd "$D"
`

func TestPlaces(t *testing.T) {
	t.Parallel()
	needs(t, "unshare", "setpriv", "nsenter", "crun", "busybox")
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			dir := placeDirectory(t)
			text, status := p.run(t, dir, "doctor", "-o", "json")
			var report struct {
				Mode   string
				Remedy string
				Rows   []struct{ What, State, Text, Remedy string }
			}
			if err := json.Unmarshal([]byte(text), &report); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if want := map[string]int{"root": 0, "rootless": 1, "memory": 2}[report.Mode]; status != want {
				t.Errorf("doctor ends with %d where the mode is %s", status, report.Mode)
			}
			if report.Mode != p.mode {
				t.Errorf("the mode is %s, want %s:\n%s", report.Mode, p.mode, text)
			}
			out, status := p.run(t, dir, "run", "red-blue")
			how := map[bool]string{true: "rootless", false: "root"}[strings.Contains(out, rootlessLine)]
			switch {
			case status == 125:
				how = "memory"
			case status != 0 || !strings.Contains(out, "MASQUERADE"):
				t.Errorf("run: status %d:\n%s", status, out)
			}
			if how != report.Mode {
				t.Errorf("doctor says %s, and run is %s (status %d):\n%s\n%s", report.Mode, how, status, out, text)
			}
			if how == "memory" {
				p.inMemory(t, dir, out, report.Remedy)
				text = out
			}
			for part := range strings.SplitSeq(p.says, " ... ") {
				_, rest, found := strings.Cut(text, part)
				if !found {
					t.Fatalf("want %q in\n%s", part, text)
				}
				text = rest
			}
			if left := placeLeft(dir); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// inMemory goes on as the last line of what has kept a lab from coming up says.
func (p *place) inMemory(t *testing.T, dir, out, remedy string) {
	t.Helper()
	contains(t, out, "without all that: uswitch run --sim red-blue", remedy)
	if out, status := p.run(t, dir, "run", "--sim", "red-blue"); status != 0 || !strings.Contains(out, "MASQUERADE") {
		t.Errorf("run --sim: status %d:\n%s", status, out)
	}
	if out, status := p.run(t, dir, "up", "-d", "red-blue"); status != 125 || !strings.Contains(out, "without all that: uswitch up -d --sim red-blue") {
		t.Errorf("up -d: status %d:\n%s", status, out)
	}
}

// placeDirectory makes a directory that is everybody's, with the program.
func placeDirectory(t *testing.T) string {
	t.Helper()
	program, _ := everybodys(t, uswitch)
	dir := filepath.Dir(program)
	must(t, "mkdir", "-m", "777", filepath.Join(dir, "home"), filepath.Join(dir, "run"))
	return dir
}

// placeLeft lists what labs have left in the directory.
func placeLeft(dir string) (left []string) {
	for _, base := range []string{"run", "home/.cache"} {
		entries, _ := os.ReadDir(filepath.Join(dir, base, "uswitch"))
		for _, e := range entries {
			if inside, err := os.ReadDir(filepath.Join(dir, base, "uswitch", e.Name())); e.Name() != "inside" || err != nil || len(inside) > 0 {
				left = append(left, filepath.Join(base, e.Name()))
			}
		}
	}
	return left
}

// run runs uswitch in the place.
func (p *place) run(t *testing.T, dir string, args ...string) (text string, status int) {
	t.Helper()
	program := filepath.Join(dir, "uswitch")
	way := p.way
	if p.in != nil {
		way = p.in.way(t, dir, append([]string{program}, args...))
	}
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", wayPreamble + way, "sh", program}, args...)...)
	cmd.Env = append(os.Environ(), "D="+dir, "U="+program)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

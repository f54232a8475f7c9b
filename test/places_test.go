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
	// program in $U, and the command behind it.
	way string

	mode string // what doctor finds: root, rootless or memory
	says string // what keeps a lab from coming up, and what would help, each behind the other; with a lab, what doctor says
}

// asUser is the end of a way of which the command is an ordinary user's.
const asUser = `exec setpriv --reuid 61000 --regid 61000 --clear-groups env HOME="$D/home" XDG_RUNTIME_DIR="$D/run" "$@"`

var places = []place{
	{name: "root", way: `exec "$@"`, mode: "root"},
	{name: "a user, /dev/net/tun 0666", way: `tun 666; ` + asUser, mode: "rootless"},
	{name: "a user, /dev/net/tun 0600", way: `tun 600; ` + asUser, mode: "memory", says: "/dev/net/tun cannot be opened: permission denied ... chmod 666 /dev/net/tun"},
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
	needs(t, "unshare", "setpriv", "nsenter")
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
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", wayPreamble + p.way, "sh", program}, args...)...)
	cmd.Env = append(os.Environ(), "D="+dir, "U="+program)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

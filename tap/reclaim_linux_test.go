package tap_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"uswitch/tap"
)

// TestReclaimAfterKill kills a process that holds namespaces, and finds what it left: the namespaces, and nothing else.
func TestReclaimAfterKill(t *testing.T) {
	t.Parallel()
	host, dir := newHostIn(t, t.TempDir())
	one, two, other := unique(), unique(), unique()
	bystander := create(t, host)
	dead := hold(t, dir, "dead", one, two)
	living := hold(t, dir, "living", other)
	wantOutcomes(t, host, []tap.Outcome{tap.InUse, tap.InUse}, "dead")

	for _, name := range []string{one, two, other} {
		if _, err := os.Stat("/etc/netns/" + name + "/hosts"); err != nil {
			t.Error(err)
		}
	}
	dead.kill()
	if links := ip(t, "-n", one, "link"); strings.Contains(links, "eth0") {
		t.Errorf("the TAP outlives its process:\n%s", links)
	}
	for _, pid := range dead.programs {
		wantEnd(t, pid)
	}
	wantOutcomes(t, host, []tap.Outcome{tap.Removed, tap.Removed}, "dead")
	wantOutcomes(t, host, nil, "dead")
	// Of all labs: this process's own bystander and the living child's.
	wantOutcomes(t, host, []tap.Outcome{tap.InUse, tap.InUse})
	for name, want := range map[string]bool{one: false, two: false, other: true, bystander.Name: true} {
		if got := exists(name); got != want {
			t.Errorf("namespace %s exists: %v, want %v", name, got, want)
		}
		if _, err := os.Lstat("/etc/netns/" + name); (err == nil) != (want && name != bystander.Name) {
			t.Errorf("files of %s: %v", name, err)
		}
	}

	living.kill()
	wantOutcomes(t, host, []tap.Outcome{tap.Removed}, "living")
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(left) != 1 {
		t.Errorf("records %v, want the bystander's only", left)
	}
}

// TestReclaimIsCareful changes the world between the crash and the cleaning.
func TestReclaimIsCareful(t *testing.T) {
	t.Parallel()
	record := func(dir, name string) string { return filepath.Join(dir, "lab.d", name+".json") }
	tests := []struct {
		name   string
		change func(t *testing.T, dir, name string)
		want   []tap.Outcome
		exists bool
	}{
		{"deleted by somebody", func(t *testing.T, _, name string) {
			ip(t, "netns", "del", name)
		}, []tap.Outcome{tap.Vanished}, false},
		{"foreign one of the same name", func(t *testing.T, _, name string) {
			ip(t, "netns", "del", name)
			time.Sleep(100 * time.Millisecond) // the new one may get the inode number of the dead one
			ip(t, "netns", "add", name)
		}, []tap.Outcome{tap.Foreign}, true},
		{"empty file from before a reboot", func(t *testing.T, _, name string) {
			ip(t, "netns", "del", name)
			write(t, filepath.Join("/run/netns", name), "")
		}, []tap.Outcome{tap.Vanished}, false},
		{"somebody's file", func(t *testing.T, _, name string) {
			ip(t, "netns", "del", name)
			write(t, filepath.Join("/run/netns", name), "mine")
			t.Cleanup(func() { os.Remove(filepath.Join("/run/netns", name)) })
		}, []tap.Outcome{tap.Foreign}, true},
		{"truncated record", func(t *testing.T, dir, name string) {
			if err := os.Truncate(record(dir, name), 20); err != nil {
				t.Fatal(err)
			}
		}, []tap.Outcome{tap.Removed}, false},
		{"empty record", func(t *testing.T, dir, name string) {
			write(t, record(dir, name), "{}")
		}, []tap.Outcome{tap.Removed}, false},
		{"truncated record and mark", func(t *testing.T, dir, name string) {
			write(t, record(dir, name), "")
			write(t, marks(t, dir)[0], `{"pid":`)
		}, []tap.Outcome{tap.Removed}, false},
		{"truncated record and nothing else", func(t *testing.T, dir, name string) {
			write(t, record(dir, name), "")
			mark := marks(t, dir)[0]
			os.RemoveAll(strings.TrimSuffix(mark, ".owner"))
			os.Remove(mark)
			os.Remove("/etc/netns/" + name)
		}, []tap.Outcome{tap.Unreadable}, true},
		{"truncated record of another one's namespace", func(t *testing.T, dir, name string) {
			write(t, record(dir, name), "")
			ip(t, "netns", "del", name)
			time.Sleep(100 * time.Millisecond)
			ip(t, "netns", "add", name)
		}, []tap.Outcome{tap.Unreadable}, true},
		{"files without a mark", func(t *testing.T, dir, name string) {
			os.Remove(marks(t, dir)[0])
		}, []tap.Outcome{tap.Removed}, false},
		{"killed while writing", func(t *testing.T, dir, name string) {
			write(t, filepath.Join(dir, "lab.d", ".new-123"), "{")
		}, []tap.Outcome{tap.Removed}, false},
		{"process id used again", func(t *testing.T, dir, name string) {
			edit(t, record(dir, name), `"pid":`, `"pid":1,"was":`)
		}, []tap.Outcome{tap.Removed}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			host, dir := newHostIn(t, t.TempDir())
			name := unique()
			hold(t, dir, "lab", name).kill()
			test.change(t, dir, name)
			wantOutcomes(t, host, test.want, "lab")
			if got := exists(name); got != test.exists {
				t.Errorf("/run/netns/%s exists: %v, want %v", name, got, test.exists)
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left in the directory of records: %v", left)
			}
			if _, err := os.Lstat("/etc/netns/" + name); err == nil {
				t.Error("its files are left in /etc/netns")
			}
			wantOutcomes(t, host, nil)
		})
	}
}

// TestReclaimEndsPrograms: what the programs of a killed process have started themselves goes with the namespace, and what they
// start meanwhile; what runs in somebody else's stays.
func TestReclaimEndsPrograms(t *testing.T) {
	t.Parallel()
	host, dir := newHostIn(t, t.TempDir())
	name, other := unique(), create(t, host).Name
	dead := hold(t, dir, "dead", name)
	begin := func(in string) *exec.Cmd {
		c := exec.Command("ip", "netns", "exec", in, "sh", "-c", "echo begun; while :; do sleep 0.01; done")
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Process.Kill(); c.Wait() })
		if _, err := out.Read(make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		return c
	}
	left, bystander := begin(name), begin(other)
	dead.kill()
	wantOutcomes(t, host, []tap.Outcome{tap.Removed}, "dead")
	wantEnd(t, strconv.Itoa(left.Process.Pid))
	if err := bystander.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("a program in another namespace: %v", err)
	}
}

// marks returns the marks of files of the lab.
func marks(t *testing.T, dir string) []string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "lab.d", "*.owner"))
	if len(found) == 0 {
		t.Fatal("there are no files")
	}
	return found
}

// TestCreateReplacesLeftover makes a namespace, for another lab, under a name that a killed process has left behind.
func TestCreateReplacesLeftover(t *testing.T) {
	t.Parallel()
	host, dir := newHostIn(t, t.TempDir())
	name := unique()
	hold(t, dir, "dead", name).kill()
	left, err := host.Adopt(name)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := host.Create("lab", name)
	if err != nil {
		t.Fatal(err)
	}
	if ns.ID == left.ID {
		t.Error("it is the old one")
	}
	wantOutcomes(t, host, []tap.Outcome{tap.InUse})
	if err := host.Release(ns); err != nil {
		t.Error(err)
	}
}

// wantOutcomes reclaims, and compares what came of it in order.
func wantOutcomes(t *testing.T, host tap.Host, want []tap.Outcome, labs ...string) {
	t.Helper()
	done, err := host.Reclaim(labs...)
	if err != nil {
		t.Fatal(err)
	}
	var got []tap.Outcome
	for _, r := range done {
		got = append(got, r.Outcome)
	}
	if !slices.Equal(got, want) {
		t.Errorf("Reclaim(%q): %v, want %q", labs, done, want)
	}
}

// wantEnd waits until a process is no more, or a zombie.
func wantEnd(t *testing.T, pid string) {
	t.Helper()
	for range 1000 {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if errors.Is(err, os.ErrNotExist) || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %s outlives the one that started it", pid)
}

// exists reports whether a namespace, or a file in its place, has this name.
func exists(name string) bool {
	_, err := os.Lstat(filepath.Join("/run/netns", name))
	return err == nil
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, path, from, to string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("%s: no %s in it: %s (%v)", path, from, text, err)
	}
	write(t, path, strings.Replace(string(text), from, to, 1))
}

package tap_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"uswitch/tap"
)

// etc returns where "ip netns exec" looks for the files of a namespace.
func etc(ns tap.Namespace) string { return "/etc/netns/" + ns.Name }

func setFiles(t *testing.T, host tap.Host, ns tap.Namespace, files map[string]string) {
	t.Helper()
	all := map[string][]byte{}
	for name, text := range files {
		all[name] = []byte(text)
	}
	if err := host.Files("lab", ns, all); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	mine, _ := os.Hostname()
	machines, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	setFiles(t, host, ns, map[string]string{"hosts": "11.11.11.2 crimson\n", "hostname": "crimson\n"})
	for line, want := range map[string]string{
		"cat /etc/hosts":        "11.11.11.2 crimson",
		"hostname":              "crimson",
		"stat -c %a /etc/hosts": "644",
	} {
		if got := run(t, host, ns, line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if got := ip(t, "netns", "exec", ns.Name, "cat", "/etc/hosts"); got != "11.11.11.2 crimson\n" {
		t.Errorf("ip netns exec: %q", got)
	}
	for path, want := range map[string]fs.FileMode{etc(ns): 0o755, etc(ns) + "/hosts": 0o644} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %o", path, info.Mode(), err, want)
		}
	}

	// What the machine's /etc does not have stays away, and keeps nobody from starting.
	setFiles(t, host, ns, map[string]string{"no-such-file": "?"})
	if got := run(t, host, ns, "test -e /etc/no-such-file || echo none"); got != "none" {
		t.Error(got)
	}

	// The machine's own are what they were.
	now, _ := os.Hostname()
	if text, _ := os.ReadFile("/etc/hosts"); now != mine || !bytes.Equal(text, machines) {
		t.Errorf("the machine is called %s now, and its /etc/hosts is\n%s", now, text)
	}
	setFiles(t, host, ns, nil)
	if got := run(t, host, ns, "cat /etc/hosts"); got != strings.TrimSpace(string(machines)) {
		t.Errorf("after the files were taken back:\n%s", got)
	}
	if _, err := os.Lstat(etc(ns)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v", etc(ns), err)
	}
}

// TestFilesChange: a program that runs sees the change.
func TestFilesChange(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	setFiles(t, host, ns, map[string]string{"hosts": "before\n", "hostname": "crimson\n"})
	cmd := exec.Command("sh", "-c", "cat /etc/hosts; echo; read line; cat /etc/hosts")
	var output bytes.Buffer
	cmd.Stdout = &output
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	process, err := host.Start(ns, cmd)
	if err != nil {
		t.Fatal(err)
	}
	setFiles(t, host, ns, map[string]string{"hosts": "after\n"})
	input.Close()
	if status := process.Wait(); status != 0 || !strings.HasSuffix(output.String(), "after\n") {
		t.Errorf("status %d: %s", status, output.String())
	}
	if names, _ := os.ReadDir(etc(ns)); len(names) != 1 {
		t.Errorf("%v, want hosts only", names)
	}
}

// TestFilesBesideReclaim: who cleans up beside a lab that is coming up takes nothing away from it.
func TestFilesBesideReclaim(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, err := host.Reclaim("lab"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 300 {
		setFiles(t, host, ns, map[string]string{"hosts": "11.11.11.2 crimson\n"})
		setFiles(t, host, ns, nil)
	}
	close(done)
	running.Wait()
}

// TestFilesOfOthersStay: what somebody has put into /etc/netns is left as it is, while the program has the lab's files.
func TestFilesOfOthersStay(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	if err := os.MkdirAll(etc(ns), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.RemoveAll(etc(ns))
		os.Remove(filepath.Dir(etc(ns)))
	})
	theirs := etc(ns) + "/hosts"
	if err := os.WriteFile(theirs, []byte("theirs\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	setFiles(t, host, ns, map[string]string{"hosts": "ours\n"})
	if got := run(t, host, ns, "cat /etc/hosts"); got != "ours" {
		t.Errorf("the program sees %q", got)
	}
	setFiles(t, host, ns, nil)
	if err := host.Release(ns); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(theirs); string(text) != "theirs\n" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestFilesOfAdopted: a namespace that somebody else made has files as long as a lab uses it.
func TestFilesOfAdopted(t *testing.T) {
	t.Parallel()
	host, dir := newHostIn(t, t.TempDir())
	ns := create(t, newHost(t))
	adopted, err := host.Adopt(ns.Name)
	if err != nil {
		t.Fatal(err)
	}
	setFiles(t, host, adopted, map[string]string{"hosts": "ours\n"})
	if got := run(t, host, adopted, "cat /etc/hosts"); got != "ours" {
		t.Errorf("the program sees %q", got)
	}
	another, err := tap.New(dir) // as another command does
	if err != nil {
		t.Fatal(err)
	}
	defer another.Close()
	if got := run(t, another, adopted, "cat /etc/hosts"); got != "ours" {
		t.Errorf("a program of another process sees %q", got)
	}
	setFiles(t, host, adopted, nil)
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestFilesAfterReboot: the link that a lab has left behind leads nowhere, and makes room.
func TestFilesAfterReboot(t *testing.T) {
	t.Parallel()
	host, dir := newHostIn(t, t.TempDir())
	ns := create(t, host)
	if err := os.MkdirAll(filepath.Dir(etc(ns)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir+"/lab.d/etc-1-1", etc(ns)); err != nil {
		t.Fatal(err)
	}
	setFiles(t, host, ns, map[string]string{"hosts": "ours\n"})
	if got := ip(t, "netns", "exec", ns.Name, "cat", "/etc/hosts"); got != "ours\n" {
		t.Errorf("ip netns exec: %q", got)
	}
}

func TestFilesAreNamesOnly(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	for _, name := range []string{"", ".", "..", "../shadow", "a/b", "a\nb"} {
		if err := host.Files("lab", ns, map[string][]byte{name: []byte("x")}); err == nil {
			t.Errorf("file %q is accepted", name)
		}
	}
}

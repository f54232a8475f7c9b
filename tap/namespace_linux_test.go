package tap_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"uswitch/tap"
)

func TestCreateAndRelease(t *testing.T) {
	t.Parallel()
	host, dir := newHostIn(t, filepath.Join(t.TempDir(), "not", "there", "yet"))
	name := unique()
	ns, err := host.Create("lab", name)
	if err != nil {
		t.Fatal(err)
	}
	if links := ip(t, "-n", name, "link"); !strings.Contains(links, "LOOPBACK,UP") {
		t.Errorf("lo is not up:\n%s", links)
	}
	if output, err := exec.Command(needs(t, "nsenter"), "--net=/run/netns/"+name, "readlink", "/proc/self/ns/net").Output(); err != nil {
		t.Errorf("nsenter: %v", err)
	} else if got := strings.TrimSpace(string(output)); got != ns.ID.String() {
		t.Errorf("nsenter sees %s, want %s", got, ns.ID)
	}
	for range 2 {
		if err := host.Release(ns); err != nil {
			t.Fatal(err)
		}
	}
	if exists(name) {
		t.Error("the name is still there")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left in the directory of records: %v", left)
	}
}

// TestCreateTaken creates what exists already.
func TestCreateTaken(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ours, foreign, file := create(t, host).Name, unique(), unique()
	ip(t, "netns", "add", foreign)
	t.Cleanup(func() { ip(t, "netns", "del", foreign) })
	write(t, filepath.Join("/run/netns", file), "")
	t.Cleanup(func() { os.Remove(filepath.Join("/run/netns", file)) })
	tests := []struct {
		name, namespace string
		want            error
	}{
		{"by a lab that is up", ours, tap.ErrOwned},
		{"by somebody else", foreign, fs.ErrExist},
		{"by a file", file, fs.ErrExist},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := host.Create("lab", test.namespace); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if !exists(test.namespace) {
				t.Error("it was removed")
			}
		})
	}
}

// TestCreateFails makes every step of Create fail that can be made to, and looks for what is left.
func TestCreateFails(t *testing.T) {
	t.Parallel()
	notDir := filepath.Join(t.TempDir(), "file")
	write(t, notDir, "")
	good := t.TempDir()
	tests := []struct{ name, dir, lab, namespace string }{
		{"directory of records is a file", notDir, "lab", unique()},
		{"no namespace's name", good, "lab", ""},
		{"slash in the namespace's name", good, "lab", "../" + unique()},
		{"slash in the lab's name", good, "../lab", unique()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			host, _ := newHostIn(t, test.dir)
			if ns, err := host.Create(test.lab, test.namespace); err == nil {
				host.Release(ns)
				t.Fatal("no error")
			}
			if test.namespace != "" && exists(test.namespace) {
				t.Error("the namespace was made")
			}
			if left, _ := os.ReadDir(good); len(left) != 0 {
				t.Errorf("left in the directory of records: %v", left)
			}
		})
	}
}

// TestRelease leaves alone what is not ours, whatever its name.
func TestReleaseForeign(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	ip(t, "netns", "del", ns.Name)
	ip(t, "netns", "add", ns.Name)
	t.Cleanup(func() { ip(t, "netns", "del", ns.Name) })
	if _, err := host.Open(ns, quietly()); !errors.Is(err, tap.ErrReplaced) {
		t.Errorf("Open: %v, want ErrReplaced", err)
	}
	if err := host.Release(ns); err != nil {
		t.Error(err)
	}
	if links := ip(t, "-n", ns.Name, "link"); strings.Contains(links, "eth0") {
		t.Errorf("Open left an interface in it:\n%s", links)
	}
}

// TestAdopt uses namespaces that others made, and leaves them as they were.
func TestAdopt(t *testing.T) {
	t.Parallel()
	host, dir := newHostIn(t, t.TempDir())
	named := unique()
	ip(t, "netns", "add", named)
	t.Cleanup(func() { ip(t, "netns", "del", named) })
	container := exec.Command("sleep", "1000")
	container.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := container.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { container.Process.Kill(); container.Wait() })

	for _, ref := range []string{named, "/run/netns/" + named, filepath.Join("/proc", pidOf(container), "ns/net")} {
		ns, err := host.Adopt(ref)
		if err != nil {
			t.Fatal(err)
		}
		device, err := host.Open(ns, quietly("11.11.11.2/24"))
		if err != nil {
			t.Fatal(err)
		}
		if state, err := device.State(); err != nil || state.Namespace != ns.ID.Inode || state.Name != "eth0" {
			t.Errorf("%s: state %+v, %v; want eth0 in %s", ref, state, err, ns.ID)
		}
		device.Close()
		if err := host.Release(ns); err != nil {
			t.Error(err)
		}
		again, err := host.Adopt(ref)
		if err != nil || again != ns {
			t.Errorf("after Release: %+v, %v; want %+v", again, err, ns)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left in the directory of records: %v", left)
	}
	for _, ref := range []string{"", ".", unique(), "/etc/passwd", "/proc/self/ns/mnt", "/proc/0/ns/net"} {
		if _, err := host.Adopt(ref); err == nil {
			t.Errorf("Adopt(%q): no error", ref)
		}
	}
}

// TestManyAtOnce makes and unmakes fifty namespaces with an interface each at the same time.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	host, dir := newHostIn(t, t.TempDir())
	before, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			ns, err := host.Create("lab", unique())
			if err != nil {
				t.Error(err)
				return
			}
			device, err := host.Open(ns, quietly("11.11.11.2/24"))
			if err != nil {
				t.Error(err)
			} else if state, err := device.State(); err != nil || state.Name != "eth0" || !state.Up {
				t.Errorf("%s: %+v, %v", ns.Name, state, err)
			} else {
				device.Close()
			}
			if err := host.Release(ns); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left in the directory of records: %v", left)
	}
	if after, _ := os.Readlink("/proc/self/ns/net"); after != before {
		t.Errorf("the process is in %s now, was in %s", after, before)
	}
}

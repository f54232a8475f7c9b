package tap_test

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"uswitch/tap"
)

// TestHomes: an interface of a namespace of ours goes with its namespace's name, also when a program is still inside; then nothing of ours holds on to the namespace. One of somebody else's namespace never does.
func TestHomes(t *testing.T) {
	t.Parallel()
	own := func(t *testing.T, host tap.Host) tap.Namespace { return create(t, host) }
	foreign := func(t *testing.T, host tap.Host) tap.Namespace {
		t.Helper()
		name := unique()
		ip(t, "netns", "add", name)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
		ns, err := host.Adopt(name)
		if err != nil {
			t.Fatal(err)
		}
		return ns
	}
	del := func(t *testing.T, ns tap.Namespace) { ip(t, "netns", "del", ns.Name) }
	for _, one := range []struct {
		name   string
		make   func(*testing.T, tap.Host) tap.Namespace
		take   func(*testing.T, tap.Namespace)
		inside bool // a program runs inside meanwhile
	}{
		{"deleted", own, del, false},
		{"deleted, a program inside", own, del, true},
		{"foreign, deleted", foreign, del, false},
	} {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			host := newHost(t)
			ns := one.make(t, host)
			device := open(t, host, ns, quietly("11.11.11.2/24"))
			if state, err := device.State(); err != nil || state.Namespace != ns.ID.Inode || state.Name != "eth0" {
				t.Errorf("the interface is %+v, %v; want eth0 in %v", state, err, ns.ID)
			}
			if one.inside {
				cmd := exec.Command("sleep", "infinity")
				process, err := host.Start(ns, cmd)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					_ = process.Signal(syscall.SIGKILL)
					_ = process.Wait()
				}()
			}
			one.take(t, ns)
			wantGone(t, device)
			if ns.Lab != "" {
				if _, err := device.Read(); err == nil || !strings.Contains(err.Error(), "its namespace was deleted") {
					t.Errorf("Read does not say why: %v", err)
				}
			}
		})
	}
}

// TestHomesMoved: an interface that somebody has moved elsewhere stays when the namespace that it was made in loses its name.
func TestHomesMoved(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	from, to := create(t, host), create(t, host)
	device := open(t, host, from, quietly("11.11.11.2/24"))
	ip(t, "-n", from.Name, "link", "set", "eth0", "netns", to.Name)
	other := open(t, host, from, tap.Interface{Name: "eth1", DisableIPv6: true})
	ip(t, "netns", "del", from.Name)
	wantGone(t, other) // so that the name's end has been heard of
	if state, err := device.State(); err != nil || state.Namespace != to.ID.Inode {
		t.Errorf("the interface that was moved: %+v, %v", state, err)
	}
	ip(t, "-n", to.Name, "link", "set", "eth0", "up")
	if _, err := host.Open(from, quietly()); !errors.Is(err, tap.ErrReplaced) {
		t.Errorf("an interface in a namespace without a name: %v, want ErrReplaced", err)
	}
}

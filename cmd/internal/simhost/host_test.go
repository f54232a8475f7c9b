package simhost_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/world"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/tap"
)

var (
	_ tap.Host     = (*sim.Namespaces)(nil)
	_ world.InTurn = (*sim.Namespaces)(nil)
)

// TestNamespaces: names are taken once, found by name and path, and gone with everything inside when they are released.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	red := n.spaces["RED"]
	if _, err := n.host.Create("lab", "RED"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second RED: %v", err)
	}
	for _, name := range []string{red.Name, red.Path} {
		if got, err := n.host.Adopt(name); err != nil || got != red {
			t.Errorf("Adopt(%s): %+v, %v", name, got, err)
		}
	}
	if _, err := n.host.Adopt("/proc/1/ns/net"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no way into") {
		t.Errorf("a namespace of this machine: %v", err)
	}
	if _, err := n.host.Open(red, tap.Interface{Name: "eth0"}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second eth0: %v", err)
	}
	if _, err := n.host.Open(red, tap.Interface{Name: "eth1", Offload: true}); !errors.Is(err, tap.ErrNoOffload) {
		t.Errorf("offload: %v", err)
	}
	port, _ := n.sw.Port("RED")
	device := port.Link().(tap.Device)
	sleeper := n.start("RED", "", "sleep", "1000")
	for range 2 {
		if err := n.host.Release(red); err != nil {
			t.Error(err)
		}
	}
	if status := sleeper.Wait(); status != 137 {
		t.Errorf("what ran inside: status %d", status)
	}
	if _, err := device.State(); !errors.Is(err, tap.ErrGone) {
		t.Errorf("its interface: %v", err)
	}
	if _, err := n.host.Start(red, exec.Command("true")); !errors.Is(err, tap.ErrReplaced) {
		t.Errorf("a program in a namespace that is gone: %v", err)
	}
	if again, err := n.host.Create("lab", "RED"); err != nil || again.ID == red.ID {
		t.Errorf("another RED: %+v, %v", again, err)
	}
}

// TestNICChanges: what somebody inside does to an interface is seen and heard outside.
func TestNICChanges(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	port, _ := n.sw.Port("RED")
	device := port.Link().(tap.Device)
	changes := make(chan tap.State, 16)
	stop, err := device.Watch(func(s tap.State) { changes <- s })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	inside := func(want int, words ...string) string {
		t.Helper()
		out, status := n.run("RED", words...)
		if status != want {
			t.Errorf("%v: status %d:\n%s", words, status, out)
		}
		return out
	}
	next := func() tap.State {
		t.Helper()
		select {
		case s := <-changes:
			return s
		case <-time.After(30 * time.Second):
			t.Fatal("no change was told")
			return tap.State{}
		}
	}
	inside(0, "ip", "link", "set", "dev", "eth0", "mtu", "1400")
	if s := next(); s.MTU != 1400 || !s.Up {
		t.Errorf("%+v", s)
	}
	inside(0, "ip", "link", "set", "eth0", "address", "02:00:00:00:00:07")
	if s := next(); s.MAC != (frame.MAC{2, 0, 0, 0, 0, 7}) {
		t.Errorf("%+v", s)
	}
	inside(0, "ip", "route", "add", "default", "via", "11.11.11.3")
	inside(2, "ip", "route", "add", "default", "via", "11.11.11.3")
	inside(0, "ip", "link", "set", "eth0", "down")
	if s := next(); s.Up {
		t.Errorf("%+v", s)
	}
	if err := device.Write(frame.Frame{Data: make([]byte, 60)}); !errors.Is(err, tap.ErrDown) {
		t.Errorf("a frame to an interface that is down: %v", err)
	}
	if out := inside(0, "ip", "route"); out != "" {
		t.Errorf("routes over an interface that is down:\n%s", out)
	}
	if out := inside(0, "ip", "link", "show", "eth0"); !strings.Contains(out, "eth0: <BROADCAST,MULTICAST> mtu 1400 qdisc noqueue state DOWN") {
		t.Errorf("%s", out)
	}
	inside(0, "ip", "link", "set", "eth0", "up")
	next()
	if out := inside(0, "ip", "route"); !strings.HasPrefix(out, "11.11.11.0/24 dev eth0") || strings.Contains(out, "default") {
		t.Errorf("routes over an interface that was down:\n%s", out)
	}
	if err := device.SetGateway(netip.MustParseAddr("11.11.11.3")); err != nil {
		t.Error(err)
	}
	if out := inside(0, "ip", "route", "show", "default"); !strings.Contains(out, "via 11.11.11.3") {
		t.Errorf("%s", out)
	}
	inside(0, "ip", "addr", "del", "11.11.11.2/24", "dev", "eth0")
	inside(2, "ping", "-c1", "11.11.11.3")
	inside(0, "ip", "addr", "add", "11.11.11.7/24", "dev", "eth0")
	inside(2, "ip", "addr", "add", "11.11.11.8/24", "dev", "eth0")
	inside(0, "ping", "-c1", "11.11.11.3")
	inside(0, "ip", "neigh", "replace", "11.11.11.9", "lladdr", "02:00:00:00:00:09", "dev", "eth0")
	if out := inside(0, "arp", "-n"); !strings.Contains(out, "02:00:00:00:00:09   CM") {
		t.Errorf("%s", out)
	}
	inside(0, "ip", "neigh", "flush", "all")
	if out := inside(0, "ip", "neigh"); strings.Contains(out, "11.11.11.3 ") || !strings.Contains(out, "PERMANENT") {
		t.Errorf("after a flush:\n%s", out)
	}
}

// TestFiles: what a host is given for /etc is what its programs see, and what they ask.
func TestFiles(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	err := n.host.Files("lab", n.spaces["RED"], map[string][]byte{"hosts": []byte("11.11.11.3 blue.example # a comment\n"),
		"hostname": []byte("red1\n"), "resolv.conf": []byte("search example\nnameserver 11.11.11.3\n")})
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"hostname; cat /etc/resolv.conf": "red1\nsearch example\nnameserver 11.11.11.3\n",
		"getent hosts blue.example":      "11.11.11.3      blue.example\n",
		"getent hosts other || echo $?":  "2\n",
		"read x </etc/hostname; echo $x": "red1\n",
		"dig +short +nothing x || echo":  "dig: \"+nothing\" cannot be simulated: want [@SERVER] [+short] NAME [A|AAAA], or -x ADDRESS\n\n",
	} {
		if out, _ := n.run("RED", "sh", "-c", line); out != want {
			t.Errorf("%s: %q, want %q", line, out, want)
		}
	}
}

// TestClosed: nobody waits for a machine that is off.
func TestClosed(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	port, _ := n.sw.Port("RED")
	device := port.Link().(tap.Device)
	if err := n.host.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := device.Read(); !errors.Is(err, tap.ErrGone) {
		t.Errorf("Read: %v", err)
	}
	if err := device.Write(frame.Frame{Data: make([]byte, 60)}); !errors.Is(err, tap.ErrGone) {
		t.Errorf("Write: %v", err)
	}
	if _, err := n.host.State(n.spaces["RED"]); err == nil {
		t.Error("State of a namespace that is gone")
	}
}

package snapshot_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"testing"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/snapshot"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// TestOf brings a lab up, lets people change things inside its hosts, and looks at it.
func TestOf(t *testing.T) {
	host, err := tap.New(t.TempDir())
	if err == nil {
		err = host.Check()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	defer host.Close()
	red, blue := fmt.Sprintf("SNAPRED%d", os.Getpid()), fmt.Sprintf("SNAPBLUE%d", os.Getpid())
	p, err := plan.Parse("snap.yaml", fmt.Appendf(nil, `
name: snap%d
networks: {br0: {ipam: {config: [{subnet: 10.77.0.0/24}]}}}
services: {%s: {networks: [br0]}, %s: {networks: [br0]}}
x-uswitch: {uplink: none}
`, os.Getpid(), red, blue), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.New(p, world.Options{Host: host})
	if err == nil {
		err = w.Up(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer w.Down()
	inside := func(name string, command ...string) {
		t.Helper()
		cmd := exec.Command(command[0], command[1:]...)
		if _, err := host.Start(w.Host(name).Namespace, cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %v", command, err)
		}
	}
	inside(blue, "ip", "link", "set", "eth0", "mtu", "1400")
	inside(blue, "ip", "route", "del", "default")
	inside(blue, "ip", "neigh", "replace", "10.77.0.9", "lladdr", "02:00:00:00:00:09", "dev", "eth0", "nud", "permanent")
	inside(red, "ip", "addr", "flush", "dev", "eth0")
	inside(red, "ip", "link", "set", "eth0", "down")
	var listeners []net.Listener
	err = tap.Do(w.Host(blue).Namespace, func() error {
		for _, at := range []string{"0.0.0.0:80", "127.0.0.1:81", "10.77.0.3:82"} {
			l, err := net.Listen("tcp4", at)
			if err != nil {
				return err
			}
			listeners = append(listeners, l)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listeners {
		defer l.Close()
	}

	s := snapshot.Of(w, trace.English)
	defer s.Close()
	if len(s.Hosts) != 2 || len(s.Switches) != 1 {
		t.Fatalf("%+v", s)
	}
	r, b := s.Hosts[0], s.Hosts[1]
	if r.Name != red {
		r, b = b, r
	}
	if c := r.NICs[0]; !c.Down || c.Addr.IsValid() || c.Port != red || len(r.Routes) != 0 {
		t.Errorf("RED: %+v", r)
	}
	c := b.NICs[0]
	if c.Down || c.MTU != 1400 || c.Addr != netip.MustParsePrefix("10.77.0.3/24") || len(c.Neighbors) != 1 || c.Network != "br0" {
		t.Errorf("BLUE's interface: %+v", c)
	}
	bound := []sim.Socket{{Proto: frame.ProtoTCP, Addr: netip.MustParseAddr("127.0.0.1"), Port: 81},
		{Proto: frame.ProtoTCP, Addr: netip.MustParseAddr("10.77.0.3"), Port: 82}}
	slices.SortFunc(b.Bound, func(a, b sim.Socket) int { return int(a.Port) - int(b.Port) })
	if !slices.Equal(b.TCP, []uint16{80}) || len(b.UDP) != 0 || !slices.Equal(b.Bound, bound) {
		t.Errorf("BLUE listens on %v, %v and %v", b.TCP, b.UDP, b.Bound)
	}
	for _, route := range b.Routes {
		if route.Prefix.Bits() == 0 {
			t.Errorf("BLUE has a default route: %v", route)
		}
	}
}

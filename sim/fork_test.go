package sim_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// state writes down everything of a world that a packet could change.
func state(w *sim.World) string {
	var b strings.Builder
	now := w.Clock().Now()
	for _, s := range w.Switches() {
		fmt.Fprintln(&b, s.Name(), s.Entries(now), s.FDB().Ageing(), s.FDB().MaxLearned())
		for _, p := range s.Ports() {
			fmt.Fprintln(&b, p.ID(), p.Name(), p.Flags(), p.Counters())
		}
	}
	g := w.Gateway()
	for _, i := range g.Interfaces() {
		fmt.Fprintln(&b, i.Name(), i.Addr(), i.MAC(), i.MTU(), i.Counters(), i.Neighbors(now))
	}
	for _, r := range g.Routes() {
		fmt.Fprintln(&b, r.Prefix, r.Via, r.Dev.Name())
	}
	for _, c := range g.Conns(now) {
		fmt.Fprintln(&b, c)
	}
	for _, args := range [][]string{{"-t", "raw", "-S", "-v"}, {"-t", "filter", "-S", "-v"}, {"-t", "nat", "-S", "-v"}} {
		out, err := g.Rules().Exec(args)
		fmt.Fprintln(&b, out, err)
	}
	for _, h := range w.Hosts() {
		fmt.Fprintf(&b, "%+v\n", h.State(now))
	}
	for _, r := range trace.Reasons() {
		fmt.Fprintln(&b, r, w.Tracer().Drops(r))
	}
	fmt.Fprintln(&b, g.Forwarding(), g.Deadline(), now)
	return b.String()
}

// fork continues a world on its own.
func fork(t *testing.T, w *sim.World) *sim.World {
	t.Helper()
	f, err := sim.Fork(w.Origin())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func busyWorld(t *testing.T) *sim.World {
	t.Helper()
	topology := redBlue()
	topology.Rules = append(topology.Rules, "-P FORWARD DROP", "-A FORWARD -m limit --limit 1/min --limit-burst 3 -j ACCEPT",
		"-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT")
	w := build(t, topology)
	w.RunFor(3 * time.Second)
	blue, _ := w.Host("BLUE")
	blue.ServeTCP(80, sim.Page(nil))
	for range 2 {
		if _, err := w.Ping("RED", ip("8.8.8.8"), sim.PingOptions{Count: 1}, new(strings.Builder)); err != nil {
			t.Fatal(err)
		}
	}
	red, _ := w.Host("RED")
	red.Connect(netip.AddrPortFrom(ip("11.11.11.3"), 80), func(error) {})
	w.RunFor(10 * time.Millisecond)
	return w
}

func TestForkHarmsNothing(t *testing.T) {
	w := busyWorld(t)
	before := state(w)
	f := fork(t, w)
	for _, to := range []string{"8.8.8.8", "8.8.8.8", "11.11.11.3", "11.11.11.77", "11.11.11.1"} {
		if _, err := f.Ping("RED", ip(to), sim.PingOptions{Count: 2, Wait: time.Second}, new(strings.Builder)); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = f.Gateway().Rules().Exec([]string{"-F", "FORWARD"})
	f.Gateway().SetForwarding(false)
	f.RunFor(time.Hour)
	if after := state(w); after != before {
		t.Errorf("the original has changed:\n%s\nbecame\n%s", before, after)
	}
}

// TestForkGoesOnAlike lets the same happen in a world and in its fork, and expects the same tables of both.
func TestForkGoesOnAlike(t *testing.T) {
	w := busyWorld(t)
	f := fork(t, w)
	tables := func(w *sim.World) string {
		var b strings.Builder
		now := w.Clock().Now()
		for _, s := range w.Switches() {
			fmt.Fprintln(&b, s.Entries(now))
		}
		for _, c := range w.Gateway().Conns(now) {
			fmt.Fprintln(&b, c)
		}
		br0, _ := w.Gateway().Interface("br0")
		fmt.Fprintln(&b, br0.Neighbors(now))
		out, _ := w.Gateway().Rules().Exec([]string{"-S", "-v"})
		fmt.Fprintln(&b, out)
		return b.String()
	}
	if got, want := tables(f), tables(w); got != want {
		t.Fatalf("the fork begins as\n%s\nand the world is\n%s", got, want)
	}
	var results [2]sim.PingResult
	for i, world := range []*sim.World{w, f} {
		result, err := world.Ping("RED", ip("8.8.8.8"), sim.PingOptions{Count: 4, Wait: time.Second}, new(strings.Builder))
		if err != nil {
			t.Fatal(err)
		}
		results[i] = result
	}
	if !reflect.DeepEqual(results[0], results[1]) {
		t.Errorf("the world's ping %+v, the fork's %+v", results[0], results[1])
	}
	if got, want := tables(f), tables(w); got != want {
		t.Errorf("the fork comes to\n%s\nand the world to\n%s", got, want)
	}
}

func TestAnywhere(t *testing.T) {
	w := busyWorld(t)
	closed := ip("169.254.169.254")
	o := w.Origin()
	o.Outside = func(leg *nat.Interface, c *sim.Clock, random *rand.Rand) (sim.Outside, error) {
		a := sim.NewAnywhere(sim.AnywhereConfig{Addr: leg.Addr().Addr(), Refuses: func(dst netip.Addr) trace.Reason {
			if dst == closed {
				return trace.HostForbidden
			}
			return trace.NoReason
		}}, c, random)
		return sim.NewBound(a, w.Gateway().Conns(w.Clock().Now())), nil
	}
	f, err := sim.Fork(o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Gateway().Rules().Exec([]string{"-P", "FORWARD", "ACCEPT"}); err != nil {
		t.Fatal(err)
	}
	red, _ := f.Host("RED")
	var answers []string
	note := func(err error) { answers = append(answers, fmt.Sprint(err)) }
	red.Connect(netip.AddrPortFrom(ip("203.0.113.5"), 443), note)
	red.AskUDP(netip.AddrPortFrom(ip("1.2.3.4"), 53), []byte("?"), time.Second, func(_ []byte, err error) { note(err) })
	red.AskUDP(netip.AddrPortFrom(closed, 80), []byte("?"), time.Second, func(_ []byte, err error) { note(err) })
	f.RunFor(2 * time.Second)
	want := []string{"Packet filtered, says 11.11.11.1", "<nil>", "<nil>"}
	if !reflect.DeepEqual(answers, want) {
		t.Errorf("answers %q, want %q", answers, want)
	}
	for _, c := range f.Gateway().Conns(f.Clock().Now()) {
		if c.Original.Proto != frame.ProtoICMP && c.Original.DstPort != 80 && c.Reply.DstPort != c.Original.SrcPort {
			t.Errorf("%v: the uplink gave it another port", c)
		}
	}
}

// TestForkWhileFramesMove forks a lab that is in use; the race detector has the last word.
func TestForkWhileFramesMove(t *testing.T) {
	w := busyWorld(t)
	o, done := w.Origin(), make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			_, _ = w.Ping("RED", ip("8.8.8.8"), sim.PingOptions{Count: 3, Wait: time.Second}, new(strings.Builder))
			_, _ = w.Ping("BLUE", ip("11.11.11.2"), sim.PingOptions{Count: 3, Wait: time.Second}, new(strings.Builder))
		}
	}()
	for range 50 {
		f, err := sim.Fork(o)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := f.Ping("BLUE", ip("11.11.11.2"), sim.PingOptions{Count: 1, Wait: time.Second}, new(strings.Builder)); err != nil || r.Received != 1 {
			t.Fatal(r, err)
		}
	}
	<-done
}

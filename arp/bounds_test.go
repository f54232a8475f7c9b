package arp_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"uswitch/arp"
	"uswitch/switch/frame"
)

// wide is a gateway on a /8, where the table and not the network is the bound.
var wide = arp.Self{MAC: self.MAC, Addr: netip.MustParsePrefix("10.0.0.1/8")}

func nth(n int) netip.Addr {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], 10<<24+2+uint32(n))
	return netip.AddrFrom4(ip)
}

// asksWide lets host n ask for the gateway, which notes it.
func (c *table) asksWide(n int) string {
	m := frame.MACFromIPv4(nth(n))
	return say(c.Input(packet(frame.ARPRequest, m, nth(n), wide.Addr.Addr()), m, wide, c.now))
}

// TestCap is fault F20 from one side: neighbours that announce themselves never fill more than the table, those confirmed
// longest ago go, and failed ones before them.
func TestCap(t *testing.T) {
	c := newTable()
	c.SetPermanent(nth(0), redM, c.now)
	c.sends(nth(1), "p")
	for range arp.Probes {
		c.now = c.now.Add(time.Second)
		c.Tick(c.now)
	}
	for n := 2; n < arp.MaxNeighbors; n++ {
		c.now = c.now.Add(time.Millisecond)
		c.asksWide(n)
	}
	c.now = c.now.Add(time.Millisecond)
	if got := c.sends(nth(3), "p"); got[:5] != "known" { // in use
		t.Fatalf("an early neighbour: %s", got)
	}
	if n := len(c.List(c.now)); n != arp.MaxNeighbors {
		t.Fatalf("%d neighbours, want %d", n, arp.MaxNeighbors)
	}
	if got := c.asksWide(arp.MaxNeighbors); got != "asked learned" {
		t.Fatalf("one more: %q", got)
	}
	there := map[netip.Addr]arp.State{}
	for _, n := range c.List(c.now) {
		there[n.Addr] = n.State
	}
	for n, want := range map[int]arp.State{0: arp.Permanent, 1: 0, 2: 0, 3: arp.Delay, arp.MaxNeighbors - 1: arp.Stale, arp.MaxNeighbors: arp.Stale} {
		if there[nth(n)] != want {
			t.Errorf("neighbour %d is %v, want %v", n, there[nth(n)], want)
		}
	}
	if len(there) < arp.MaxNeighbors*3/4 {
		t.Errorf("only %d neighbours are left", len(there))
	}
}

// TestSweep is fault F20 from the other side: a host that tries every address of a large network fills the table, is then
// told so, and the rest of the world gets in again once the silent ones have failed.
func TestSweep(t *testing.T) {
	c := newTable()
	full := 0
	for n := range 100_000 {
		if c.sends(nth(n), "p") == "full" {
			full++
		}
	}
	if rows := len(c.List(c.now)); rows > arp.MaxNeighbors || rows+full != 100_000 {
		t.Errorf("%d neighbours and %d refused, of 100000", rows, full)
	}
	gaveUp, ticks := 0, 0
	for _, next := c.Tick(c.now); !next.IsZero(); ticks++ {
		var actions []arp.Action[string]
		c.now = next
		actions, next = c.Tick(c.now)
		for _, a := range actions {
			if a.GaveUp {
				gaveUp += len(a.Held)
			}
		}
	}
	if gaveUp+full != 100_000 {
		t.Errorf("%d packets came back, %d were refused, of 100000", gaveUp, full)
	}
	if got := c.sends(nth(200_000), "p"); got != "ask" {
		t.Errorf("afterwards: %q", got)
	}
}

// TestHeldBound: all neighbours together hold so many packets and no more, and those that waited come back all the same.
func TestHeldBound(t *testing.T) {
	c := newTable()
	taken, refused := 0, 0
	for i := range arp.MaxHeld {
		for n := range 1000 {
			switch got := c.sends(nth(n), fmt.Sprint(i)); got {
			case "ask", "wait":
				taken++
			default:
				refused++
			}
		}
	}
	held := 0
	for _, n := range c.List(c.now) {
		held += n.Held
	}
	if held != taken || held != arp.MaxHeldTotal || taken+refused != 1000*arp.MaxHeld {
		t.Errorf("%d held, %d taken, %d refused", held, taken, refused)
	}
	if got := c.sends(nth(5000), "p"); got != "full" {
		t.Errorf("one more neighbour: %q", got)
	}
	m := frame.MACFromIPv4(nth(0))
	out := c.Input(packet(frame.ARPReply, m, nth(0), wide.Addr.Addr()), m, wide, c.now)
	if len(out.Held) == 0 {
		t.Fatal("nothing was released")
	}
	if got := c.sends(nth(5000), "p"); got != "ask" {
		t.Errorf("when there is room again: %q", got)
	}
	back := len(out.Held) + len(c.Flush())
	if back != taken+1 {
		t.Errorf("%d packets came back of %d", back, taken+1)
	}
	for n := range arp.MaxHeldTotal {
		if got := c.sends(nth(n), "p"); got != "ask" {
			t.Fatalf("after flushing, packet %d: %q", n, got)
		}
	}
}

// TestTickSteps: thousands of neighbours that fall due one after the other do not have the table walked for each.
func TestTickSteps(t *testing.T) {
	c := newTable()
	for n := range 1000 {
		c.now = start.Add(time.Duration(n) * time.Millisecond)
		c.sends(nth(n), "p")
	}
	ticks := 0
	for _, next := c.Tick(c.now); !next.IsZero(); ticks++ {
		c.now = next
		_, next = c.Tick(c.now)
	}
	if over := c.now.Sub(start); ticks > 500 || over < 3999*time.Millisecond || over > 4100*time.Millisecond {
		t.Errorf("%d ticks until %v; want few, and the last failure 3 s after the last question", ticks, over)
	}
}

// TestAllocs: a known neighbour costs no memory, nor does chatter.
func TestAllocs(t *testing.T) {
	c := newTable()
	c.hears(frame.ARPRequest, redM, red, self.Addr.Addr())
	other := packet(frame.ARPRequest, redM, red, blue)
	for name, f := range map[string]func(){
		"resolve": func() { c.Resolve(red, c.now) },
		"unknown": func() { c.Resolve(blue, c.now) },
		"input":   func() { c.Input(other, redM, self, c.now) },
		"tick":    func() { c.Tick(c.now) },
	} {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkResolve measures the table's part in every packet that leaves.
func BenchmarkResolve(b *testing.B) {
	c := newTable()
	for n := range 4096 {
		c.asksWide(n)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Resolve(nth(1000), c.now)
	}
}

// BenchmarkFullTable measures a question by a new neighbour when the table is full.
func BenchmarkFullTable(b *testing.B) {
	c := newTable()
	n := 0
	for b.Loop() {
		n++
		c.asksWide(n % (1 << 23))
	}
}

package vswitch_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

var redIP = netip.MustParseAddr("11.11.11.2")

// claim is an ARP request of src's that says that ip is at mac.
func claim(dst, src, mac frame.MAC, ip netip.Addr) frame.Frame {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(b).SetHeader(dst, src, frame.TypeARP)
	frame.PutARP(b[frame.EthernetHeader:], frame.ARPReply, mac, ip, frame.MAC{}, ip)
	return frame.Frame{Data: b}
}

// TestAddressConflict is F21: whoever says that he has an address which another port's host has said to have, at another MAC,
// is told of with both ports and both MACs, whoever of the two speaks to whom. The frame goes on, as in the Linux bridge.
func TestAddressConflict(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "EVIL")
	ring := trace.NewRing(1000, 1<<20, 64)
	l.tracer.Attach(ring)
	told := func() (all []string) {
		for {
			var e trace.Event
			if _, ok := ring.TryNext(&e); !ok {
				return all
			}
			if e.Note == trace.AddressConflict {
				all = append(all, fmt.Sprintf("%v: %s %v, %s %v %v ago (%d)", e.Addr, e.Port, e.MAC, e.From, e.Other, e.Age, e.Count))
			}
		}
	}
	say := func(from string, dst frame.MAC, mac frame.MAC, ip netip.Addr, want ...string) {
		t.Helper()
		l.input(from, claim(dst, mac, mac, ip))
		if got := told(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: told %q, want %q", from, got, want)
		}
	}
	say("RED", frame.Broadcast, host(1), redIP)
	say("BLUE", frame.Broadcast, host(2), netip.IPv4Unspecified()) // a probe claims nothing
	say("EVIL", frame.Broadcast, host(3), netip.IPv4Unspecified())
	say("BLUE", host(1), host(2), netip.MustParseAddr("11.11.11.3"))
	l.outcome()
	l.pass(4 * time.Second)
	say("EVIL", host(2), host(3), redIP, fmt.Sprintf("11.11.11.2: EVIL %v, RED %v 4s ago (0)", host(3), host(1)))
	l.expect("BLUE")
	say("EVIL", host(2), host(3), redIP) // not news
	say("RED", host(2), host(1), redIP, fmt.Sprintf("11.11.11.2: RED %v, EVIL %v 0s ago (0)", host(1), host(3)))
	say("RED", host(2), host(4), redIP) // its own MAC has changed

	say("gateway", frame.Broadcast, gateway, netip.MustParseAddr("11.11.11.1"))
	say("EVIL", host(2), host(3), netip.MustParseAddr("11.11.11.1"), fmt.Sprintf("11.11.11.1: EVIL %v, gateway %v 0s ago (0)", host(3), gateway))
	if n, last := l.Conflicts(); n != 3 || last.From != "gateway" || last.Port != "EVIL" {
		t.Errorf("%d conflicts counted, want 3", n)
	}

	// Who says that RED's address is nobody's, by a frame from his own MAC.
	l.input("EVIL", claim(host(2), host(3), host(9), redIP))
	if got := told(); len(got) != 1 {
		t.Errorf("told %q of a claim for somebody else", got)
	}

	// A flood of them is told ten times a second, and what was left out is told.
	l.pass(2 * time.Second)
	for i := range 30 {
		from := []string{"RED", "EVIL"}[i%2]
		l.input(from, claim(host(2), host(1+i%2*2), host(1+i%2*2), redIP))
	}
	if got := told(); len(got) != 10 {
		t.Errorf("%d of 30 conflicts in one second are told, want 10", len(got))
	}

	// Once EVIL is unplugged, its address is free for whoever comes.
	if err := l.Detach(l.ports["EVIL"]); err != nil {
		t.Fatal(err)
	}
	told()
	say("RED", frame.Broadcast, host(1), redIP)
}

// TestClaimsAreBounded: a host that makes addresses up fills its own part of the table, and RED's address is still known in
// it.
func TestClaimsAreBounded(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "EVIL")
	l.input("RED", claim(frame.Broadcast, host(1), host(1), redIP))
	for i := range 5000 {
		l.input("EVIL", claim(frame.Broadcast, host(3), host(3), netip.AddrFrom4([4]byte{12, 0, byte(i >> 8), byte(i)})))
	}
	l.input("EVIL", claim(frame.Broadcast, host(3), host(3), redIP))
	if n, _ := l.Conflicts(); n != 1 {
		t.Errorf("%d conflicts, want 1", n)
	}
}

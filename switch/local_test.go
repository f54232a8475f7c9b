package vswitch_test

import (
	"sync"
	"testing"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// TestLocal: the gateway gets what is addressed to it, and everything for all; it is never behind a port.
func TestLocal(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	l.send("RED", gateway, host(1))
	l.expect("gateway")
	l.FDB().Flush(nil)
	if l.FDB().Remove(gateway) {
		t.Error("the gateway's entry was removed by hand")
	}
	l.send("RED", gateway, host(1))
	l.expect("gateway")
	if err := l.SetStatic(gateway, l.ports["RED"], false); err == nil {
		t.Error("the gateway's address was given to a port")
	}
}

// TestLocalReplaced: a new station takes the old one's place, under a new address or the same.
func TestLocalReplaced(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	old, renamed := l.gateway, frame.MAC{2, 0x42, 11, 11, 11, 254}
	l.send("BLUE", nearest, renamed) // a host had it so far
	l.outcome()
	l.gateway = new(station)
	l.SetLocal(renamed, l.gateway)
	l.send("RED", renamed, host(1))
	l.expect("gateway")
	l.send("RED", gateway, host(1)) // nobody's any more
	l.expect("BLUE")
	l.send("BLUE", nearest, renamed)
	l.expect("!mac-spoof")
	if len(old.take()) != 0 {
		t.Error("the old station still gets frames")
	}
	l.gateway = new(station)
	l.SetLocal(renamed, l.gateway)
	l.send("RED", renamed, host(1))
	l.expect("gateway")
}

// TestLocalSwitchedConcurrently: of several stations set at once one remains, and no other's address.
func TestLocalSwitchedConcurrently(t *testing.T) {
	l := newLab(t, vswitch.Config{})
	for range 200 {
		var all sync.WaitGroup
		for n := range 4 {
			all.Go(func() { l.SetLocal(host(n+1), l.gateway) })
		}
		all.Wait()
		if rows := l.Entries(l.now); len(rows) != 1 {
			t.Fatalf("%d local addresses remain", len(rows))
		}
	}
}

// TestOutputRunt: what the gateway sends is counted too when it is no frame.
func TestOutputRunt(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED")
	l.input("gateway", frame.Frame{Data: make([]byte, 13)})
	l.expect("!pkt-too-small")
}

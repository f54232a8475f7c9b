package vswitch_test

import (
	"errors"
	"testing"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestDetach is row S8: a port that goes takes its addresses along, learned and static, nothing passes it in either
// direction, and a new port of the same name starts afresh.
func TestDetach(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN")
	for i, name := range l.names {
		l.send(name, nearest, host(i+1))
	}
	red := l.ports["RED"]
	if err := l.SetStatic(host(11), red, false); err != nil {
		t.Fatal(err)
	}
	l.outcome()
	for range 2 { // twice is harmless
		if err := l.Detach(red); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.table(); got != "2>BLUE 3>GREEN" {
		t.Errorf("table %q", got)
	}
	l.send("BLUE", host(1), host(2))
	l.expect("GREEN")
	l.send("RED", host(2), host(1)) // a frame that was on its way
	l.expect("!port-gone")
	if got := l.table(); got != "2>BLUE 3>GREEN" {
		t.Errorf("table %q: a frame still on its way was learned from", got)
	}
	if err := l.SetStatic(host(11), red, false); !errors.Is(err, vswitch.ErrNotHere) {
		t.Errorf("static address at a detached port: %v", err)
	}

	l.names = l.names[1:]
	again := l.plug("RED", vswitch.DefaultFlags())
	if again.ID() == red.ID() {
		t.Error("the new port has the old one's number")
	}
	if err := l.Detach(red); err != nil { // the old one once more: not the new one
		t.Fatal(err)
	}
	l.send("BLUE", host(1), host(2))
	l.expect("GREEN RED")
}

// TestDetachElsewhere: a port is only unplugged from its own switch.
func TestDetachElsewhere(t *testing.T) {
	a, b := newLab(t, vswitch.Config{}, "RED", "BLUE"), newLab(t, vswitch.Config{})
	if err := b.Detach(a.ports["RED"]); !errors.Is(err, vswitch.ErrNotHere) {
		t.Errorf("unplugged from another switch: %v", err)
	}
	if err := b.SetStatic(host(1), a.ports["RED"], false); !errors.Is(err, vswitch.ErrNotHere) {
		t.Errorf("static address at another switch's port: %v", err)
	}
	a.send("RED", frame.Broadcast, host(1))
	a.expect("BLUE gateway")
	if got := a.table(); got != "1>RED" {
		t.Errorf("table %q: the port no longer learns", got)
	}
	select {
	case <-a.links["RED"].ended:
		t.Error("its link was closed")
	default:
	}
}

// TestAttachTaken: a name is given once.
func TestAttachTaken(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED")
	_, err := l.Attach("RED", newLink(), vswitch.DefaultFlags())
	if err == nil || err.Error() != "network br0: port RED is taken" {
		t.Errorf("got %v", err)
	}
	if l.tracer.Drops(trace.PortFault) != 0 || len(l.Ports()) != 1 {
		t.Error("the attempt left something behind")
	}
}

package vswitch_test

import (
	"strings"
	"testing"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// join lays a cable between two switches.
func join(t *testing.T, a, b *lab, name string) (one, two *vswitch.Port) {
	t.Helper()
	x, y := vswitch.NewPatch()
	one, err := a.Attach(name+"a", x, vswitch.DefaultFlags())
	if err != nil {
		t.Fatal(err)
	}
	if two, err = b.Attach(name+"b", y, vswitch.DefaultFlags()); err != nil {
		t.Fatal(err)
	}
	return one, two
}

// TestPatch: a cable between two switches carries frames both ways on one journey, and the switches learn across it.
func TestPatch(t *testing.T) {
	a, b := newLab(t, vswitch.Config{}, "RED"), newLab(t, vswitch.Config{}, "BLUE")
	one, _ := join(t, a, b, "p")
	a.send("RED", frame.Broadcast, host(1))
	if a.expect("gateway"); b.outcome() != "BLUE gateway" {
		t.Error("the broadcast did not reach the other switch")
	}
	b.send("BLUE", host(1), host(2))
	if b.expect(""); a.outcome() != "RED" {
		t.Error("the answer did not come back to RED alone")
	}
	if got := a.table(); got != "1>RED 2>pa" {
		t.Errorf("table %q", got)
	}
	if err := a.Detach(one); err != nil {
		t.Fatal(err)
	}
	b.send("BLUE", host(1), host(2))
	b.expect("!port-gone")
}

// TestPatchesInACircle: what would go round for ever ends after seven cables, with its reason.
func TestPatchesInACircle(t *testing.T) {
	a, b := newLab(t, vswitch.Config{}, "RED"), newLab(t, vswitch.Config{}, "BLUE")
	join(t, a, b, "p")
	join(t, a, b, "q")
	a.send("RED", frame.Broadcast, host(1))
	if got := a.outcome() + " " + b.outcome(); !strings.Contains(got, "!bridge-loop") {
		t.Errorf("%s: want bridge-loop", got)
	}
}

// TestReplug: a link moves to another switch without being closed, and its frames come in there; nothing of it stays behind.
func TestReplug(t *testing.T) {
	a, b := newLab(t, vswitch.Config{}, "RED", "BLUE"), newLab(t, vswitch.Config{}, "GREEN")
	red := a.ports["RED"]
	a.send("RED", frame.Broadcast, host(1))
	a.expect("BLUE gateway")
	now, err := a.Replug(red, b.Switch, "RED", vswitch.DefaultFlags())
	if err != nil {
		t.Fatal(err)
	}
	if got := a.table(); got != "" {
		t.Errorf("the old switch still knows %s", got)
	}
	b.ports["RED"], b.links["RED"] = now, a.links["RED"]
	b.names = append(b.names, "RED")
	b.send("GREEN", frame.Broadcast, host(3))
	b.expect("RED gateway")
	select {
	case <-a.links["RED"].ended:
		t.Error("its link was closed")
	default:
	}
	if _, err := a.Replug(red, b.Switch, "again", vswitch.DefaultFlags()); err == nil {
		t.Error("it was moved twice from where it is not")
	}
}

// TestPortIsDown: nothing comes in by a port that is down, nothing goes out, and its stations are forgotten.
func TestPortIsDown(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	l.send("RED", nearest, host(1))
	l.outcome()
	l.set("RED", func(k *vswitch.PortFlags) { k.Down = true })
	if got := l.table(); got != "" {
		t.Errorf("table %q", got)
	}
	l.send("RED", host(2), host(1))
	l.expect("!port-disabled")
	l.send("BLUE", frame.Broadcast, host(2))
	l.expect("gateway !port-disabled")
	l.set("RED", func(k *vswitch.PortFlags) { k.Down = false })
	l.send("BLUE", frame.Broadcast, host(2))
	l.expect("RED gateway")
}

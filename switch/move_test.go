package vswitch_test

import (
	"strings"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestMoves is F12: who spoke last is right, every move is counted, and the trace hears of ten a second.
func TestMoves(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	ring := trace.NewRing(1000, 1<<20, 64)
	l.tracer.Attach(ring)
	told := func() (moves int, suppressed uint32) {
		for {
			var e trace.Event
			if _, ok := ring.TryNext(&e); !ok {
				return moves, suppressed
			}
			if e.Note == trace.Moved {
				moves, suppressed = moves+1, suppressed+e.Count
			}
		}
	}
	l.send("RED", nearest, host(1))
	for i := range 30 {
		l.send([]string{"BLUE", "RED"}[i%2], nearest, host(1))
	}
	if got := l.table(); got != "1>RED" {
		t.Errorf("table %q; RED spoke last", got)
	}
	if moves, suppressed := told(); moves != 10 || suppressed != 0 || l.FDB().Moves() != 30 {
		t.Errorf("%d moves told, %d named, %d counted; want 10, 0 and 30", moves, suppressed, l.FDB().Moves())
	}
	l.pass(time.Second)
	l.send("BLUE", nearest, host(1))
	if moves, suppressed := told(); moves != 1 || suppressed != 20 {
		t.Errorf("a second later %d moves are told and %d named; want 1 and 20", moves, suppressed)
	}
}

// TestLoopThroughABridge: two ports lead into one bridge, and what the switch writes to either comes back from the other. RED's frames to
// BLUE would go round for ever once RED was heard behind both; that ends, it is told and counted, RED and BLUE
// reach each other all the while, and some seconds after the loop is gone RED may be plugged in elsewhere.
func TestLoopThroughABridge(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN", "EVIL")
	ring := trace.NewRing(100_000, 1<<24, 64)
	l.tracer.Attach(ring)
	across := map[string]string{"GREEN": "EVIL", "EVIL": "GREEN"}
	rounds := func(most int) (carried int) {
		for moving := true; moving && carried < most; {
			moving = false
			for from, to := range across {
				for _, f := range l.links[from].take() {
					l.input(to, f)
					carried, moving = carried+1, true
				}
				l.pass(10 * time.Microsecond)
			}
			if most > 100 && carried%10 == 0 { // they go on talking, and are taken to be elsewhere
				l.send("RED", host(2), host(1))
				l.send("BLUE", host(1), host(2))
			}
		}
		return carried
	}
	l.send("BLUE", frame.Broadcast, host(2))
	l.send("RED", host(2), host(1))
	l.send("RED", frame.Broadcast, host(1))
	l.send("BLUE", frame.Broadcast, host(2))
	if n := rounds(100_000); n == 100_000 {
		t.Fatal("frames go round for ever")
	}
	l.outcome()
	for range 1000 {
		l.send("RED", host(2), host(1))
		l.send("BLUE", host(1), host(2))
	}
	if n := rounds(100_000); n != 0 {
		t.Errorf("%d frames went round once the loop was known", n)
	}
	l.expect("REDx1001 BLUEx1001")
	l.send("RED", frame.Broadcast, host(1))
	rounds(100)
	l.expect("BLUE gateway !loopx2")
	l.send("GREEN", frame.Broadcast, host(3)) // who is behind the bridge itself is heard on one side, and goes no further than that
	l.send("EVIL", host(3), host(4))
	rounds(100)
	l.expect("RED BLUE gateway !loopx2")
	told := map[string]bool{}
	for {
		var e trace.Event
		if _, ok := ring.TryNext(&e); !ok {
			break
		}
		if e.Reason == trace.Loop {
			told[e.Text(trace.English)] = true
		}
	}
	want := "RED is heard behind EVIL and GREEN by turns: there is a loop"
	found := false
	for text := range told {
		found = found || strings.Contains(text, want)
	}
	if !found {
		t.Errorf("told: %v, want %q", told, want)
	}

	l.send("GREEN", host(2), host(1)) // the loop is gone, and RED is plugged in where GREEN was
	l.expect("!loop")
	l.pass(11 * time.Second)
	l.send("GREEN", host(2), host(1))
	l.expect("BLUE")
	if got := l.table(); got != "1>GREEN 2>BLUE 3>GREEN 4>EVIL" {
		t.Errorf("table %q", got)
	}
}

// TestLoopOfStrangers: a station that is heard behind two ports only, hundreds of times a second, is believed behind the one
// where it was first.
func TestLoopOfStrangers(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "GREEN", "EVIL")
	ring := trace.NewRing(10_000, 1<<20, 0)
	l.tracer.Attach(ring)
	l.send("GREEN", nearest, host(1))
	for range 300 {
		l.send("EVIL", nearest, host(1))
		l.send("GREEN", nearest, host(1))
		l.pass(time.Millisecond)
	}
	if got := l.table(); got != "1>GREEN" {
		t.Errorf("table %q", got)
	}
	if n := l.tracer.Drops(trace.Loop); n < 150 || n > 250 {
		t.Errorf("%d frames were dropped", n)
	}
	told := 0
	for e := (trace.Event{}); ; {
		if _, ok := ring.TryNext(&e); !ok {
			break
		}
		if e.Reason == trace.Loop && e.Note == trace.Looped && e.From == "GREEN" {
			told++
		}
	}
	if told < 150 {
		t.Errorf("of the drops %d tell of the loop", told)
	}
	if err := l.Detach(l.ports["GREEN"]); err != nil { // the port where it is held goes: it may be elsewhere
		t.Fatal(err)
	}
	l.outcome()
	l.send("EVIL", nearest, host(1))
	if got := l.table(); got != "1>EVIL" {
		t.Errorf("table %q", got)
	}
}

// TestLoopTakesNobodyAlong: who was heard behind a loop by mistake is not looked for there once it is known, and whoever lives
// elsewhere does not move into it while it lasts.
func TestLoopTakesNobodyAlong(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE", "GREEN", "EVIL")
	l.send("BLUE", nearest, host(2))
	l.send("EVIL", nearest, host(2)) // a frame of BLUE's has come round
	l.send("RED", nearest, host(1))
	for range 300 {
		l.send("EVIL", nearest, host(3))
		l.send("GREEN", nearest, host(3))
		l.pass(time.Millisecond)
	}
	l.outcome()
	l.send("RED", host(2), host(1)) // nobody knows where BLUE is: everyone is asked
	l.expect("BLUE GREEN EVIL")
	l.send("BLUE", host(1), host(2))
	l.expect("RED")
	l.send("GREEN", host(1), host(2))
	l.send("EVIL", host(2), host(1))
	l.expect("!loopx2")
	l.send("RED", host(2), host(1))
	l.expect("BLUE")
	l.pass(11 * time.Second) // the loop is forgotten: a station may move again
	l.send("EVIL", host(1), host(2))
	l.expect("RED")
}

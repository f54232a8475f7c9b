package vswitch_test

import (
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/trace"
)

// TestMoves is F12: who spoke last is right, every move is counted, and the trace hears of ten a second.
func TestMoves(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	ring := trace.NewRing(1000, 1<<20, 64)
	l.tracer.Attach(ring)
	told := func() (moves int, untold uint32) {
		for {
			var e trace.Event
			if _, ok := ring.TryNext(&e); !ok {
				return moves, untold
			}
			if e.Note == trace.Moved {
				moves, untold = moves+1, untold+e.Count
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
	if moves, untold := told(); moves != 10 || untold != 0 || l.FDB().Moves() != 30 {
		t.Errorf("%d moves told, %d named, %d counted; want 10, 0 and 30", moves, untold, l.FDB().Moves())
	}
	l.pass(time.Second)
	l.send("BLUE", nearest, host(1))
	if moves, untold := told(); moves != 1 || untold != 20 {
		t.Errorf("a second later %d moves are told and %d named; want 1 and 20", moves, untold)
	}
}

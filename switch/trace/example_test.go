package trace_test

import (
	"testing"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestExamples: the last drop of each reason is kept, at most one in a tenth of a second, whoever listens.
func TestExamples(t *testing.T) {
	for _, listened := range []bool{false, true} {
		var tracer trace.Tracer
		if _, ok := tracer.Example(trace.NoRoute); ok || tracer.Drop(trace.NoRoute, nil).On() {
			t.Error("an example that nobody wanted")
		}
		now := start
		tracer.KeepExamples(func() time.Time { return now })
		if listened {
			tracer.Attach(trace.NewRing(10, 0, 0))
		}
		data := make([]byte, 1000)
		drop := func(port string) {
			j := tracer.Begin(now)
			if j := tracer.Drop(trace.NoRoute, j); j.On() {
				j.Emit(trace.Event{Hook: trace.Route, Verdict: trace.Drop, Reason: trace.NoRoute, Port: port, Frame: frame.Frame{Data: data}})
			}
			j.End()
		}
		for _, step := range []struct {
			port string
			pass time.Duration
			want string
		}{
			{"first", 0, "first"},
			{"too soon", 50 * time.Millisecond, "first"},
			{"later", 50 * time.Millisecond, "later"},
			{"too soon again", time.Millisecond, "later"},
			{"after the clock was set back", -time.Hour, "after the clock was set back"},
		} {
			now = now.Add(step.pass)
			drop(step.port)
			e, ok := tracer.Example(trace.NoRoute)
			if !ok || e.Port != step.want || e.Reason != trace.NoRoute || e.Length != 1000 || len(e.Frame.Data) != 128 {
				t.Errorf("listened %v, %s: got %v %+v", listened, step.port, ok, e)
			}
			if numbered := e.Packet != 0; numbered != listened {
				t.Errorf("listened %v: packet %d", listened, e.Packet)
			}
		}
		if n := tracer.Drops(trace.NoRoute); n != 6 {
			t.Errorf("%d counted, want 6", n)
		}
		if _, ok := tracer.Example(trace.Storm); ok {
			t.Error("an example of what did not happen")
		}
		if n := testing.AllocsPerRun(200, func() { now = now.Add(time.Second); drop("again") }); n != 0 {
			t.Errorf("listened %v: %v allocations a drop", listened, n)
		}
	}
}

// TestHistory: what somebody listened to can be found by its number; what nobody listened to costs nothing.
func TestHistory(t *testing.T) {
	var tracer trace.Tracer
	tracer.Remember(trace.NewRing(4, 0, 2))
	if tracer.Listening() {
		t.Error("the history alone listens")
	}
	ring := trace.NewRing(10, 0, 0)
	tracer.Attach(ring)
	for i := range 3 {
		j := tracer.Begin(start)
		for _, h := range []trace.Hook{trace.Ingress, trace.Egress} {
			j.Emit(trace.Event{Hook: h, Verdict: trace.Accept, Frame: frame.Frame{Data: []byte{byte(i), 1, 2}}})
		}
		j.End()
	}
	for packet, want := range map[uint64]int{1: 0, 2: 2, 3: 2, 4: 0} {
		steps := tracer.History(packet)
		if len(steps) != want {
			t.Errorf("packet %d: %d steps, want %d", packet, len(steps), want)
		}
		for i, e := range steps {
			if e.Hop != uint32(i+1) || len(e.Frame.Data) != 2 || e.Frame.Data[0] != byte(packet-1) || e.Length != 3 {
				t.Errorf("packet %d, step %d: %+v", packet, i, e)
			}
		}
	}
	tracer.Detach(ring)
	if tracer.Listening() {
		t.Error("the history alone listens")
	}
}

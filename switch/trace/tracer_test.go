package trace_test

import (
	"testing"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

func TestTracer(t *testing.T) {
	var tracer trace.Tracer
	if j := tracer.Begin(start); j.On() || j.Leave() != (trace.Token{}) {
		t.Error("a journey is watched though nobody listens")
	}
	a, b := trace.NewRing(16, 0, 0), trace.NewRing(16, 0, 2)
	tracer.Attach(a)
	tracer.Attach(b)

	j := tracer.Begin(start)
	j.Emit(trace.Event{Hook: trace.Ingress, Verdict: trace.Accept, Frame: frame.Frame{Data: []byte{1, 2, 3}}})
	token := j.Leave()
	j.Emit(trace.Event{Hook: trace.Neighbor, Verdict: trace.Queue})
	j.End()

	tracer.Detach(a)
	later := start.Add(time.Second)
	j = tracer.Resume(token, later)
	j.Emit(trace.Event{Hook: trace.Egress, Verdict: trace.Accept})
	j.End()
	j = tracer.Begin(later)
	j.Emit(trace.Event{Hook: trace.Ingress, Verdict: trace.Accept})
	j.End()

	type step struct {
		packet uint64
		hop    uint32
		hook   trace.Hook
		time   time.Time
		bytes  int
	}
	steps := func(r *trace.Ring) (all []step) {
		var e trace.Event
		for {
			if _, ok := r.TryNext(&e); !ok {
				return all
			}
			all = append(all, step{e.Packet, e.Hop, e.Hook, e.Time, len(e.Frame.Data)})
		}
	}
	wantA := []step{{1, 1, trace.Ingress, start, 3}, {1, 2, trace.Neighbor, start, 0}}
	wantB := []step{{1, 1, trace.Ingress, start, 2}, {1, 2, trace.Neighbor, start, 0}, {1, 3, trace.Egress, later, 0}, {2, 1, trace.Ingress, later, 0}}
	for _, tt := range []struct {
		name      string
		got, want []step
	}{{"a, detached in between", steps(a), wantA}, {"b, with a snap length", steps(b), wantB}} {
		if len(tt.got) != len(tt.want) {
			t.Fatalf("%s: got %v, want %v", tt.name, tt.got, tt.want)
		}
		for i := range tt.want {
			if tt.got[i] != tt.want[i] {
				t.Errorf("%s, step %d: got %v, want %v", tt.name, i, tt.got[i], tt.want[i])
			}
		}
	}

	if tracer.Resume(trace.Token{}, later).On() {
		t.Error("a journey that nobody watched is watched from the middle on")
	}
	tracer.Detach(b)
	if tracer.Begin(later).On() || tracer.Resume(token, later).On() {
		t.Error("a journey is watched after the last listener left")
	}
}

func TestDropsAreCountedWithoutListeners(t *testing.T) {
	var tracer trace.Tracer
	tracer.Count(trace.NoRoute)
	tracer.Count(trace.NoRoute)
	if n := tracer.Drops(trace.NoRoute); n != 2 {
		t.Errorf("%d drops, want 2", n)
	}
	if n := tracer.Drops(trace.Storm); n != 0 {
		t.Errorf("%d drops of another reason, want 0", n)
	}
}

func TestTracerAllocatesNothing(t *testing.T) {
	data := make([]byte, 1500)
	for _, listening := range []bool{false, true} {
		var tracer trace.Tracer
		if listening {
			tracer.Attach(trace.NewRing(64, 1<<16, 0))
		}
		allocs := testing.AllocsPerRun(1000, func() {
			j := tracer.Begin(start)
			if j.On() != listening {
				t.Fatal("On does not tell whether somebody listens")
			}
			j.Emit(trace.Event{Hook: trace.Ingress, Verdict: trace.Accept, Where: "br0", Port: "RED", Frame: frame.Frame{Data: data}})
			j.Emit(trace.Event{Hook: trace.Bridge, Verdict: trace.Flood, Where: "br0", Port: "RED", Ports: brPorts, Frame: frame.Frame{Data: data}})
			token := j.Leave()
			j.End()
			tracer.Resume(token, start).End()
			tracer.Count(trace.Storm)
		})
		if allocs != 0 {
			t.Errorf("listening %v: %v allocations for a journey, want 0", listening, allocs)
		}
	}
}

func TestHooksParse(t *testing.T) {
	for _, h := range trace.Hooks() {
		if got, ok := trace.ParseHook(h.String()); !ok || got != h {
			t.Errorf("%v: got %v, %v", h, got, ok)
		}
	}
	if _, ok := trace.ParseHook("hookEnd"); ok {
		t.Error("the end of the list is no hook")
	}
}

func TestEveryReasonHasASentence(t *testing.T) {
	said := map[string]trace.Reason{}
	for _, r := range trace.Reasons() {
		s := r.Sentence()
		if other, twice := said[s]; s == "" || twice {
			t.Errorf("%v: %q, as %v", r, s, other)
		}
		said[s] = r
	}
}

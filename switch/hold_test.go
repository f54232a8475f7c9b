package vswitch_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// steps attaches a stepper that wants every frame.
func (l *lab) steps() *trace.Stepper {
	s := trace.NewStepper(trace.StepperConfig{Max: 10, Patience: time.Hour, Now: func() time.Time { return epoch }})
	l.tracer.AttachStepper(s)
	l.t.Cleanup(func() { l.tracer.DetachStepper(s) })
	return s
}

// next waits for a stop and lets its frame go on.
func next(t *testing.T, s *trace.Stepper) trace.Stop {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	stop, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Go(stop.Leg)
	return stop
}

// TestHeldFrames: Input returns at once, the frame goes on later, and what was its buffer may be used again meanwhile.
func TestHeldFrames(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	s := l.steps()
	f := frameOf(frame.Broadcast, host(1), 60)
	l.Input(l.ports["RED"], f, l.now)
	clear(f.Data)
	if n := l.ports["RED"].Counters().RxFrames; n != 0 {
		t.Errorf("%d frames have come in", n)
	}
	var hooks []trace.Hook
	for stop := next(t, s); stop.Kind != trace.Ended; stop = next(t, s) {
		if stop.Kind == trace.Stepped {
			hooks = append(hooks, stop.Event.Hook)
		}
	}
	want := []trace.Hook{trace.Ingress, trace.Learn, trace.Bridge, trace.Egress}
	if len(hooks) != len(want) {
		t.Fatalf("stopped at %v, want %v", hooks, want)
	}
	got := l.links["BLUE"].take()
	if len(got) != 1 || frame.Ethernet(got[0].Data).Src() != host(1) || l.ports["RED"].Counters().RxFrames != 1 {
		t.Errorf("BLUE has %v", got)
	}
}

// faulty is a station that fails on every frame.
type faulty struct{}

func (faulty) Input(frame.Frame, *trace.Journey, time.Time) { panic("a fault") }
func (faulty) Has(netip.Addr) bool                          { return false }

// TestFaultOfAHeldFrame: it unplugs the port that the frame came from, as in Run, and nothing else.
func TestFaultOfAHeldFrame(t *testing.T) {
	l := newLab(t, vswitch.Config{}, "RED", "BLUE")
	l.SetLocal(gateway, faulty{})
	s := l.steps()
	l.Input(l.ports["RED"], frameOf(gateway, host(1), 60), l.now)
	for stop := next(t, s); stop.Kind != trace.Ended; {
		stop = next(t, s)
	}
	if _, in := l.Port("RED"); in {
		t.Error("RED is still plugged in")
	}
	if _, in := l.Port("BLUE"); !in {
		t.Error("BLUE is unplugged too")
	}
	if n := l.tracer.Drops(trace.PortFault); n != 1 {
		t.Errorf("%d faults are counted", n)
	}
}

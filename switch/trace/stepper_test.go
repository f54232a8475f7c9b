package trace_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// track is a path of three steps that tells into done when a packet has taken it.
type track struct {
	t       testing.TB
	tracer  trace.Tracer
	stepper *trace.Stepper
	clock   time.Time
	mu      sync.Mutex // guards clock
	done    chan string
}

func newTrack(t testing.TB, c trace.StepperConfig) *track {
	k := &track{t: t, clock: start, done: make(chan string, 100)}
	c.Now = k.now
	if c.Patience == 0 {
		c.Patience = time.Hour
	}
	k.stepper = trace.NewStepper(c)
	k.tracer.AttachStepper(k.stepper)
	return k
}

func (k *track) now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.clock
}

func (k *track) pass(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clock = k.clock.Add(d)
}

// send lets a packet arrive at a port, and reports whether it is held.
func (k *track) send(port, name string) (held bool) {
	j := k.tracer.Begin(k.now())
	defer j.End()
	f := frame.Frame{Data: []byte(name + strings.Repeat(".", 40))}
	carry := func(f frame.Frame, j *trace.Journey, now time.Time) {
		times := now.Sub(start).String()
		for _, h := range []trace.Hook{trace.Ingress, trace.Bridge, trace.Egress} {
			if name == "faulty" && h == trace.Bridge {
				panic("a fault")
			}
			if j.On() {
				j.Emit(trace.Event{Hook: h, Verdict: trace.Accept, Where: "br0", Port: port, Frame: f})
				times += " " + j.Now().Sub(start).String()
			}
		}
		k.done <- name + " " + times
	}
	if j.Steps() && j.Hold(trace.Event{Hook: trace.Ingress, Where: "br0", Port: port, Frame: f}, f, carry) {
		clear(f.Data) // the reader uses its buffer again
		return true
	}
	carry(f, j, k.now())
	return false
}

// next waits for a stop and describes it.
func (k *track) next() (trace.Stop, string) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := k.stepper.Next(ctx)
	if err != nil {
		k.t.Fatal(err)
	}
	name, _, _ := strings.Cut(string(s.Event.Frame.Data), ".")
	text := fmt.Sprintf("%s %s", name, map[trace.StopKind]string{trace.Arrived: "arrived", trace.Ended: "ended"}[s.Kind])
	if s.Kind == trace.Stepped {
		text += s.Event.Hook.String()
	}
	if !s.Waits && s.Kind != trace.Ended {
		text += " passing"
	}
	return s, text
}

func (k *track) want(texts ...string) (last trace.Stop) {
	k.t.Helper()
	for _, want := range texts {
		s, got := k.next()
		if got != want {
			k.t.Fatalf("got %q, want %q", got, want)
		}
		last = s
	}
	return last
}

// run lets a packet go on at each stop.
func (k *track) run(leg uint64, texts ...string) {
	k.t.Helper()
	for _, want := range texts {
		_ = k.stepper.Go(leg)
		k.want(want)
	}
}

func (k *track) ended() string {
	k.t.Helper()
	select {
	case text := <-k.done:
		return text
	case <-time.After(10 * time.Second):
		k.t.Fatal("no packet has ended")
		return ""
	}
}

func TestStepperHoldsAPacketAtEachStep(t *testing.T) {
	k := newTrack(t, trace.StepperConfig{Max: 10})
	defer k.tracer.DetachStepper(k.stepper)
	if !k.send("RED", "a") {
		t.Fatal("not held")
	}
	for _, want := range []string{"a arrived", "a ingress", "a bridge", "a egress"} {
		s := k.want(want)
		if len(k.done) > 0 {
			t.Fatal("the packet did not wait at", want)
		}
		k.pass(time.Second)
		if err := k.stepper.Go(s.Leg); err != nil {
			t.Fatal(err)
		}
	}
	s := k.want("a ended")
	// Each step after a pause has the time at which the packet was let go.
	if got, want := k.ended(), "a 1s 2s 3s 4s"; got != want {
		t.Errorf("times %q, want %q", got, want)
	}
	if err := k.stepper.Go(s.Leg); err == nil {
		t.Error("a packet that has ended goes on")
	}
}

// TestStepperOrder: the packets of one sender wait for each other, those of others for nobody.
func TestStepperOrder(t *testing.T) {
	k := newTrack(t, trace.StepperConfig{Max: 10})
	k.send("RED", "r1")
	first := k.want("r1 arrived")
	k.send("RED", "r2")
	k.send("BLUE", "b1")
	blue := k.want("b1 arrived")
	k.run(blue.Leg, "b1 ingress", "b1 bridge", "b1 egress", "b1 ended")
	if got := k.ended(); !strings.HasPrefix(got, "b1") {
		t.Errorf("%s was faster", got)
	}
	if n := k.stepper.Held(); n != 2 {
		t.Errorf("%d are held, want 2", n)
	}
	k.run(first.Leg, "r1 ingress", "r1 bridge", "r1 egress", "r1 ended")
	k.want("r2 arrived")

	k.tracer.DetachStepper(k.stepper)
	k.tracer.DetachStepper(k.stepper)
	for _, want := range []string{"r1", "r2"} {
		if got := k.ended(); !strings.HasPrefix(got, want) {
			t.Errorf("ended %q, want %q", got, want)
		}
	}
	if k.send("RED", "r3") {
		t.Error("held by a stepper that has gone")
	}
}

func TestStepperBounds(t *testing.T) {
	t.Run("as many as there is room for", func(t *testing.T) {
		k := newTrack(t, trace.StepperConfig{Max: 2})
		for i, want := range []bool{true, true, false, false} {
			if held := k.send("RED", fmt.Sprint("p", i)); held != want {
				t.Errorf("packet %d: held %v, want %v", i, held, want)
			}
		}
		if n := k.stepper.Passed(); n != 2 {
			t.Errorf("%d have passed by, want 2", n)
		}
		k.tracer.DetachStepper(k.stepper)
		for _, want := range []string{"p2", "p3", "p0", "p1"} {
			if got := k.ended(); !strings.HasPrefix(got, want) {
				t.Errorf("ended %q, want %q", got, want)
			}
		}
	})
	t.Run("as long as there is patience", func(t *testing.T) {
		k := newTrack(t, trace.StepperConfig{Max: 2, Patience: time.Millisecond})
		k.send("RED", "slow")
		k.want("slow arrived", "slow ingress passing", "slow bridge passing", "slow egress passing")
		if s := k.want("slow ended"); !s.Late {
			t.Error("nobody is told why it went on")
		}
		k.ended()
	})
	t.Run("a fault ends one packet", func(t *testing.T) {
		k := newTrack(t, trace.StepperConfig{Max: 2})
		k.send("RED", "faulty")
		k.send("RED", "next")
		s := k.want("faulty arrived")
		k.run(s.Leg, "faulty ingress")
		_ = k.stepper.Go(s.Leg)
		if s := k.want("faulty ended"); s.Fault != "a fault" || k.tracer.Drops(trace.PortFault) != 1 {
			t.Errorf("fault %q, %d counted", s.Fault, k.tracer.Drops(trace.PortFault))
		}
		k.want("next arrived")
		k.tracer.DetachStepper(k.stepper)
		k.ended()
	})
}

// TestStepperFilter: only what matches is held; an answer is known though its addresses were translated.
func TestStepperFilter(t *testing.T) {
	red, outside, world := netip.MustParseAddr("11.11.11.2"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("8.8.8.8")
	packet := func(src, dst netip.Addr, kind byte) frame.Frame {
		b := make([]byte, frame.IPv4Header+frame.ICMPHeader)
		b[frame.IPv4Header], b[frame.IPv4Header+5] = kind, 7
		frame.PutIPv4(b, frame.ProtoICMP, 64, 1, src, dst)
		return frame.Frame{Data: b}
	}
	for _, tt := range []struct {
		name   string
		spec   trace.FilterSpec
		src    netip.Addr
		answer bool
	}{
		{"a host: and what answers it", trace.FilterSpec{Hosts: []string{"RED"}}, red, true},
		{"a sender: no answers", trace.FilterSpec{From: []string{"RED"}}, red, false},
	} {
		filter, err := tt.spec.Compile(map[string][]netip.Addr{"RED": {red}})
		if err != nil {
			t.Fatal(err)
		}
		k := newTrack(t, trace.StepperConfig{Max: 10, Filter: filter})
		hold := func(where string, f, leaves frame.Frame) bool {
			j := k.tracer.Begin(start)
			defer j.End()
			return j.Hold(trace.Event{Hook: trace.Ingress, Where: where, IP: true, Frame: f}, f, func(f frame.Frame, j *trace.Journey, _ time.Time) {
				j.Emit(trace.Event{Hook: trace.Egress, Verdict: trace.Accept, IP: true, Frame: leaves})
				k.done <- where
			})
		}
		if !hold("br0", packet(red, world, frame.ICMPEcho), packet(outside, world, frame.ICMPEcho)) {
			t.Errorf("%s: not held", tt.name)
		}
		if hold("br0", packet(world, outside, frame.ICMPEchoReply), frame.Frame{}) {
			t.Errorf("%s: an answer before the question", tt.name)
		}
		s, _ := k.next()
		_ = k.stepper.Go(s.Leg)
		s, _ = k.next()
		_ = k.stepper.Go(s.Leg)
		k.ended()
		if held := hold("uplink", packet(world, outside, frame.ICMPEchoReply), frame.Frame{}); held != tt.answer {
			t.Errorf("%s: the answer is held: %v", tt.name, held)
		}
		k.tracer.DetachStepper(k.stepper)
	}
}

// TestNobodyStepsForNothing: a stepper that wants nothing of this costs no memory, and one that is gone nothing at all.
func TestNobodyStepsForNothing(t *testing.T) {
	filter, err := trace.FilterSpec{Proto: "icmp"}.Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	k := newTrack(t, trace.StepperConfig{Max: 10, Filter: filter})
	f := frame.Frame{Data: make([]byte, 60)}
	if n := testing.AllocsPerRun(200, func() {
		j := k.tracer.Begin(start)
		e := trace.Event{Hook: trace.Ingress, Verdict: trace.Accept, Frame: f}
		if !j.Steps() || j.Hold(e, f, nil) {
			t.Fatal("held, or not asked")
		}
		j.Emit(e)
		j.End()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	k.tracer.DetachStepper(k.stepper)
	if k.tracer.Begin(start).Steps() || k.tracer.Listening() {
		t.Error("somebody still listens")
	}
}

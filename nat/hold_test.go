package nat_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"uswitch/switch/trace"
)

// TestHeldPacketsGoOnWithTheTimeOfTheirRelease: a packet from outside that somebody has held for longer than a connection is
// remembered begins one that is remembered as long as any other.
func TestHeldPacketsGoOnWithTheTimeOfTheirRelease(t *testing.T) {
	l := newLab(t, "-t nat -A PREROUTING -d 192.0.2.2 -p udp --dport 53 -j DNAT --to-destination 11.11.11.2:53")
	var mu sync.Mutex // guards now
	now := l.now
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	filter, err := trace.FilterSpec{Port: "53"}.Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	stepper := trace.NewStepper(trace.StepperConfig{Filter: filter, Max: 10, Patience: time.Hour, Now: clock})
	l.tracer.AttachStepper(stepper)
	defer l.tracer.DetachStepper(stepper)

	l.wan.send(udp("192.0.2.9:5000", "192.0.2.2:53", "held"))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	steps := 0
	for {
		stop, err := stepper.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if stop.Kind == trace.Ended {
			break
		}
		steps++
		mu.Lock()
		now = now.Add(time.Minute)
		mu.Unlock()
		if err := stepper.Go(stop.Leg); err != nil {
			t.Fatal(err)
		}
	}
	if steps < 5 || len(l.br0.raw()) != 1 {
		t.Fatalf("%d steps, and it has not arrived", steps)
	}
	// It is confirmed between postrouting and neighbor, and waits once more at the latter.
	l.now = clock().Add(-time.Minute)
	if c := l.conn(); c.Timeout != 5*time.Minute {
		t.Errorf("the connection is remembered for %v more, want 5m", c.Timeout)
	}
}

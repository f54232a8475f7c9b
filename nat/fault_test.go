package nat_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"uswitch/nat"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// brittle is a network whose interface fails on the first frame that it gets.
type brittle struct {
	failed atomic.Bool
	after  chan struct{} // has something when it got another one
}

func (b *brittle) Output(frame.Frame, *trace.Journey, time.Time) {
	if b.failed.CompareAndSwap(false, true) {
		panic("a fault")
	}
	select {
	case b.after <- struct{}{}:
	default:
	}
}

// TestFaultOfTheTimer: it is counted and told of, and what is due next is done.
func TestFaultOfTheTimer(t *testing.T) {
	var tracer trace.Tracer
	var told atomic.Int32
	tracer.OnFault(func(error) { told.Add(1) })
	g := nat.New(nat.Config{Tracer: &tracer, Epoch: time.Now(), Rules: rule.NewTables(rule.IPv4), Random: rand.New(rand.NewPCG(1, 1))})
	lan := &brittle{after: make(chan struct{}, 1)}
	if _, err := g.Add(nat.InterfaceConfig{Name: "br0", Addr: netip.MustParsePrefix("11.11.11.1/24"),
		MAC: frame.MAC{2, 0x42, 11, 11, 11, 1}, Segment: lan}, time.Now()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { g.Run(ctx) })
	defer running.Wait()
	defer stop()
	select {
	case <-lan.after: // the second announcement of its address
	case <-time.After(time.Minute):
		t.Fatal("the timer has stopped")
	}
	if n := tracer.Drops(trace.GatewayFault); n != 1 || told.Load() != 1 {
		t.Errorf("%d faults are counted, %d told of, want 1", n, told.Load())
	}
}

package sim_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"uswitch/sim"
	"uswitch/switch/frame"
)

func TestClockOrder(t *testing.T) {
	c := sim.NewClock()
	var got []string
	note := func(s string) func() { return func() { got = append(got, s) } }
	c.After(2*time.Second, note("late"))
	c.After(time.Second, note("a"))
	c.After(time.Second, note("b"))
	stopped := c.After(time.Second, note("never"))
	c.At(sim.Epoch.Add(-time.Hour), func() {
		note("at once")()
		c.After(0, note("next"))
	})
	stopped.Stop()
	c.RunUntil(sim.Epoch.Add(time.Second))
	if want := []string{"at once", "next", "a", "b"}; !slices.Equal(got, want) {
		t.Errorf("until one second: %q, want %q", got, want)
	}
	if now := c.Now().Sub(sim.Epoch); now != time.Second {
		t.Errorf("the clock stands at %v", now)
	}
	if next, ok := c.Next(); !ok || next.Sub(sim.Epoch) != 2*time.Second {
		t.Errorf("next is %v, %v", next, ok)
	}
	c.Run()
	if got[len(got)-1] != "late" || c.Step() {
		t.Errorf("at the end: %q", got)
	}
	if _, ok := c.Next(); ok {
		t.Error("something is left")
	}
}

func TestRealTime(t *testing.T) {
	r := sim.NewRealTime()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []int
	var stopped *sim.Timer
	r.After(0, func() {
		got = append(got, 1)
		stopped = r.After(0, func() { got = append(got, -1) })
		r.After(time.Millisecond, func() { got = append(got, 3); cancel() })
		r.After(0, func() { got = append(got, 2) })
		stopped.Stop()
	})
	if err := r.Run(ctx); err != nil || !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRealTimeFromManyGoroutines(t *testing.T) {
	r := sim.NewRealTime()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const each = 1000
	var count int // only ever touched by Run's goroutine
	var left atomic.Int32
	left.Store(4 * each)
	for range 4 {
		go func() {
			for range each {
				r.After(0, func() {
					count++
					if left.Add(-1) == 0 {
						cancel()
					}
				})
			}
		}()
	}
	if err := r.Run(ctx); err != nil || count != 4*each {
		t.Errorf("%d of %d, %v", count, 4*each, err)
	}
}

func TestRealTimeFault(t *testing.T) {
	r := sim.NewRealTime()
	r.After(0, func() { panic("a fault") })
	if err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "a fault") {
		t.Errorf("got %v", err)
	}
}

// wire returns a wire and what arrives at its two ends, with the times.
func wire(config sim.WireConfig) (c *sim.Clock, w *sim.Wire, host, port *[]time.Duration) {
	c = sim.NewClock()
	w = sim.NewWire(c, rand.New(rand.NewPCG(1, 1)), config)
	host, port = new([]time.Duration), new([]time.Duration)
	w.PlugHost(func(frame.Frame) { *host = append(*host, c.Now().Sub(sim.Epoch)) })
	w.PlugPort(func(frame.Frame) { *port = append(*port, c.Now().Sub(sim.Epoch)) })
	return c, w, host, port
}

func TestWireLatency(t *testing.T) {
	c, w, host, port := wire(sim.WireConfig{Latency: 3 * time.Millisecond})
	data := []byte{1, 2, 3}
	if err := errors.Join(w.Write(frame.Frame{Data: data}), w.Send(frame.Frame{Data: data})); err != nil {
		t.Fatal(err)
	}
	c.Run()
	want := []time.Duration{3 * time.Millisecond}
	if !slices.Equal(*host, want) || !slices.Equal(*port, want) {
		t.Errorf("at the host %v, at the port %v, want %v", *host, *port, want)
	}
}

func TestWireCopies(t *testing.T) {
	c := sim.NewClock()
	w := sim.NewWire(c, rand.New(rand.NewPCG(1, 1)), sim.WireConfig{})
	var got []byte
	w.PlugHost(func(f frame.Frame) { got = f.Data })
	data := []byte{1, 2, 3}
	_ = w.Write(frame.Frame{Data: data})
	data[0] = 9
	c.Run()
	if !slices.Equal(got, []byte{1, 2, 3}) {
		t.Errorf("got %v: the frame was lent, and kept", got)
	}
}

func TestWireChance(t *testing.T) {
	const sent = 10000
	for _, tt := range []struct {
		name     string
		config   sim.WireConfig
		min, max int // frames that arrive
		late     bool
	}{
		{"perfect", sim.WireConfig{}, sent, sent, false},
		{"cut", sim.WireConfig{Loss: 1}, 0, 0, false},
		{"bad", sim.WireConfig{Loss: 0.3}, 6800, 7200, false},
		{"echoing", sim.WireConfig{Duplicate: 0.5}, 14800, 15200, false},
		{"uneven", sim.WireConfig{Latency: time.Second, Reorder: 0.5}, sent, sent, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, w, host, _ := wire(tt.config)
			for range sent {
				_ = w.Write(frame.Frame{Data: []byte{0}})
			}
			c.Run()
			if n := len(*host); n < tt.min || n > tt.max {
				t.Errorf("%d arrived, want %d to %d", n, tt.min, tt.max)
			}
			if tt.late && (*host)[0] == (*host)[len(*host)-1] {
				t.Error("all arrived at once")
			}
		})
	}
}

func TestWireDownAndClosed(t *testing.T) {
	c, w, host, port := wire(sim.WireConfig{Latency: time.Second})
	f := frame.Frame{Data: []byte{0}}
	_ = w.Write(f)
	w.SetUp(false)
	if err := w.Write(f); !errors.Is(err, frame.ErrLinkDown) || w.Up() {
		t.Errorf("down: %v", err)
	}
	c.Run()
	w.SetUp(true)
	_ = w.Send(f)
	ended := make(chan error)
	go func() {
		_, err := w.Read()
		ended <- err
	}()
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, frame.ErrLinkGone) {
		t.Errorf("Read: %v", err)
	}
	if err := w.Send(f); !errors.Is(err, frame.ErrLinkGone) {
		t.Errorf("closed: %v", err)
	}
	c.Run()
	if len(*host)+len(*port) != 0 {
		t.Error("frames came out of a wire that was down or closed")
	}
}

package sim_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"uswitch/sim"
	"uswitch/switch/frame"
)

func TestClockOrder(t *testing.T) {
	c := sim.NewClock(sim.Epoch)
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

// TestWallLoopOrder: events of equal moments run in the order in which they were asked for, and one that was stopped does not.
func TestWallLoopOrder(t *testing.T) {
	l := sim.NewWallLoop()
	defer l.Close()
	var got []int
	over := make(chan struct{})
	l.After(0, func() {
		got = append(got, 1)
		stopped := l.After(0, func() { got = append(got, -1) })
		l.After(time.Millisecond, func() { got = append(got, 3); close(over) })
		l.After(0, func() { got = append(got, 2) })
		stopped.Stop()
	})
	<-over
	if !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("got %v", got)
	}
}

func TestWallLoopFromManyGoroutines(t *testing.T) {
	l := sim.NewWallLoop()
	defer l.Close()
	const each = 1000
	count, over := 0, make(chan struct{}) // count is only ever touched on the loop
	for range 4 {
		go func() {
			for range each {
				l.After(0, func() {
					if count++; count == 4*each {
						close(over)
					}
				})
			}
		}()
	}
	<-over
}

// TestLossyCable: a ping over a cable that loses a third of all frames, and takes its time, prints the same on every run.
func TestLossyCable(t *testing.T) {
	ping := func() string {
		c := sim.NewClock(sim.Epoch)
		random := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(7, n)) }
		wires := [2]*sim.Wire{sim.NewWire(c, random(1), sim.WireConfig{Latency: sim.DefaultLatency}),
			sim.NewWire(c, random(2), sim.WireConfig{Loss: 0.3, Latency: 2 * time.Millisecond})}
		var hosts [2]*sim.Host
		for i, wire := range wires {
			hosts[i] = sim.NewHost(c, random(3+uint64(i)), "h")
			addr := netip.AddrFrom4([4]byte{11, 11, 11, byte(2 + i)})
			if _, err := hosts[i].AddNIC("eth0", frame.MACFromIPv4(addr), netip.PrefixFrom(addr, 24), 1500, wire); err != nil {
				t.Fatal(err)
			}
			wire.PlugPort(func(f frame.Frame) { _ = wires[1-i].Write(f) })
		}
		var out strings.Builder
		to, heard := netip.AddrPortFrom(netip.AddrFrom4([4]byte{11, 11, 11, 3}), 0), 0
		for range 10 {
			began := c.Now()
			hosts[0].Ask(sim.Question{Proto: frame.ProtoICMP, To: to}, time.Second, func(err error) {
				if err == nil {
					heard++
				}
				fmt.Fprintln(&out, c.Now().Sub(began), err)
			})
			c.RunUntil(began.Add(2 * time.Second))
		}
		fmt.Fprintln(&out, heard)
		return out.String()
	}
	first := ping()
	if !strings.HasSuffix(first, "\n4\n") || !strings.Contains(first, "4.1ms <nil>") || !strings.Contains(first, "1s no answer") {
		t.Errorf("it prints\n%s", first)
	}
	if second := ping(); second != first {
		t.Errorf("it prints\n%s\nand then\n%s", first, second)
	}
}

// wire returns a wire and what arrives at its two ends, with the times.
func wire(config sim.WireConfig) (c *sim.Clock, w *sim.Wire, host, port *[]time.Duration) {
	c = sim.NewClock(sim.Epoch)
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
	c := sim.NewClock(sim.Epoch)
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

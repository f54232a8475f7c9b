package sim

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"uswitch/nat"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// World is a lab in memory. It belongs to one goroutine; what its switches, its gateway and its tracer offer may be used
// from others as in a real lab, while the world stands still.
type World struct {
	clock    *Clock
	seed     uint64
	streams  uint64 // of random numbers that were handed out
	tracer   *trace.Tracer
	gateway  *nat.Gateway
	internet *Internet
	outside  Outside // what stands behind the uplink: internet, in a world that was not forked; nil: nothing
	switches []*vswitch.Switch
	configs  map[string]NetworkConfig // by the network's name
	hosts    []*Host
	names    names
	tick     *Timer    // of the gateway
	tickAt   time.Time // when it is due; zero: never
	watchers []*watcher
}

// Clock returns the world's clock.
func (w *World) Clock() *Clock { return w.clock }

// Tracer returns what the switches and the gateway tell their steps to.
func (w *World) Tracer() *trace.Tracer { return w.tracer }

// Gateway returns the gateway. It has no interfaces if no network has an address for it.
func (w *World) Gateway() *nat.Gateway { return w.gateway }

// Internet returns the way out, or nil.
func (w *World) Internet() *Internet { return w.internet }

// Switches returns the networks in the topology's order.
func (w *World) Switches() []*vswitch.Switch { return slices.Clone(w.switches) }

// Switch finds a network by its name.
func (w *World) Switch(name string) (*vswitch.Switch, bool) {
	i := slices.IndexFunc(w.switches, func(s *vswitch.Switch) bool { return s.Name() == name })
	if i < 0 {
		return nil, false
	}
	return w.switches[i], true
}

// Hosts returns the hosts in the topology's order.
func (w *World) Hosts() []*Host { return slices.Clone(w.hosts) }

// Host finds a host by its name.
func (w *World) Host(name string) (*Host, bool) {
	i := slices.IndexFunc(w.hosts, func(h *Host) bool { return h.name == name })
	if i < 0 {
		return nil, false
	}
	return w.hosts[i], true
}

// Names returns the names of the lab's addresses, for printers of the trace.
func (w *World) Names() trace.Names { return w.names }

// Step does the next thing that is due, and hands what it has caused to the watchers. It returns false if nothing is
// due any more, ever.
func (w *World) Step() bool {
	w.armTick()
	done := w.clock.Step()
	w.armTick()
	for _, watcher := range w.watchers {
		watcher.drain(w.clock.Now())
	}
	return done
}

// armTick calls the gateway when something is due there.
func (w *World) armTick() {
	due := w.gateway.Deadline()
	if due.IsZero() || !w.tickAt.IsZero() && !due.Before(w.tickAt) {
		return
	}
	w.tick.Stop()
	w.tickAt = due
	w.tick = w.clock.At(due, func() {
		w.tickAt = time.Time{}
		w.gateway.Tick(w.clock.Now())
	})
}

// RunFor lets the world go on for a while.
func (w *World) RunFor(d time.Duration) {
	end := w.clock.Now().Add(d)
	w.armTick()
	for next, ok := w.clock.Next(); ok && !next.After(end); next, ok = w.clock.Next() {
		w.Step()
	}
	w.clock.RunUntil(end)
}

// RunUntil lets the world go on until done reports true. It returns false if nothing is left to happen before.
func (w *World) RunUntil(done func() bool) bool {
	for !done() {
		if !w.Step() {
			return done()
		}
	}
	return true
}

// Ping runs a ping on a host until it has ended; see Machine.Ping. The error says that there is no such host or that the
// ping would never end.
func (w *World) Ping(host string, dst netip.Addr, o PingOptions, out io.Writer) (PingResult, error) {
	h, ok := w.Host(host)
	if !ok {
		return PingResult{}, fmt.Errorf("host %q: there is no such host", host)
	}
	if o.Count <= 0 {
		return PingResult{}, errors.New("a ping in the simulator needs a count: nobody is there to stop it")
	}
	var result *PingResult
	h.Ping(dst, o, out, func(r PingResult) { result = &r })
	w.RunUntil(func() bool { return result != nil })
	return *result, nil
}

// watcher hands the steps of the world to somebody who writes them down.
type watcher struct {
	ring   *trace.Ring
	filter *trace.Filter
	sink   trace.Sink
	event  trace.Event
	err    error // after which nothing more is written
}

// Room of a watcher's ring: it must hold what one step of the world can cause, a flood to thousands of ports above all.
const (
	watchEvents = 1 << 14
	watchBytes  = 1 << 22
	watchSnap   = 2048
)

// Watch hands every event that matches f (nil: all) to sink, in the world's own time, as the world goes on. The function
// that it returns ends that, writes what is left, and returns the first error of the sink.
func (w *World) Watch(f *trace.Filter, sink trace.Sink) (stop func() error) {
	watch := &watcher{ring: trace.NewRing(watchEvents, watchBytes, watchSnap), filter: f, sink: sink}
	w.tracer.Attach(watch.ring)
	w.watchers = append(w.watchers, watch)
	return func() error {
		w.tracer.Detach(watch.ring)
		for i, other := range w.watchers {
			if other == watch {
				w.watchers = append(w.watchers[:i:i], w.watchers[i+1:]...)
				break
			}
		}
		return errors.Join(watch.err, sink.Flush())
	}
}

func (w *watcher) drain(now time.Time) {
	for w.err == nil {
		lost, ok := w.ring.TryNext(&w.event)
		if !ok {
			w.err = w.sink.Idle(now)
			return
		}
		if lost > 0 {
			w.err = w.sink.Lost(lost)
		}
		if w.err == nil {
			w.err = w.filter.Pass(&w.event, w.sink.Event)
		}
	}
}

// names are what the lab calls its addresses, netip.Addr and frame.MAC. They implement trace.Names.
type names map[any]string

func (n names) add(name string, a netip.Addr, m frame.MAC) {
	n[a] = name
	n[m] = name
}

// Name implements trace.Names.
func (n names) Name(a netip.Addr) (string, bool) {
	name, ok := n[a]
	return name, ok
}

// NameMAC implements trace.Names.
func (n names) NameMAC(m frame.MAC) (string, bool) {
	name, ok := n[m]
	return name, ok
}

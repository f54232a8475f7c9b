package sim

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"uswitch/switch/trace"
)

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

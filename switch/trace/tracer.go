package trace

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Tracer counts drops, numbers journeys, and hands events to the rings and steppers that are attached. One Tracer serves a
// whole lab. Every method may be called from many goroutines. The zero value is ready.
type Tracer struct {
	listeners atomic.Pointer[listeners] // nil: nobody listens
	journeys  atomic.Uint64
	drops     [reasonEnd]atomic.Uint64
	examples  atomic.Pointer[examples] // nil: none are kept
	pool      sync.Pool                // of *Journey
	faults    atomic.Pointer[func(error)]

	mu       sync.Mutex // guards what follows, from which listeners is made
	rings    []*Ring
	steppers []*Stepper
	history  *Ring
}

// listeners is an immutable list of those who hear of every step.
type listeners struct {
	rings    []*Ring
	steppers []*Stepper
}

// Attach makes a ring receive every event from now on.
func (t *Tracer) Attach(r *Ring) {
	t.change(func() { t.rings = append(t.rings, r) })
}

// Detach ends what Attach began. The ring keeps what it has.
func (t *Tracer) Detach(r *Ring) {
	t.change(func() { t.rings = slices.DeleteFunc(t.rings, func(other *Ring) bool { return other == r }) })
}

// Remember makes a ring receive every event as long as there are other listeners, and costs nothing while there are none.
// Journeys have numbers only while somebody listens, so that every number that somebody has seen can be found there with
// History until newer ones have taken its place.
func (t *Tracer) Remember(r *Ring) {
	t.change(func() { t.history = r })
}

// History returns the steps of a journey that the ring given to Remember still has, with bytes of their own.
func (t *Tracer) History(packet uint64) []Event {
	t.mu.Lock()
	history := t.history
	t.mu.Unlock()
	if history == nil {
		return nil
	}
	return history.journey(packet)
}

// change alters the lists, and publishes what follows from them.
func (t *Tracer) change(alter func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	alter()
	if len(t.rings) == 0 && len(t.steppers) == 0 {
		t.listeners.Store(nil)
		return
	}
	next := &listeners{slices.Clone(t.rings), slices.Clone(t.steppers)}
	if t.history != nil {
		next.rings = append(next.rings, t.history)
	}
	t.listeners.Store(next)
}

// Listening reports whether anybody does at this moment.
func (t *Tracer) Listening() bool { return t.listeners.Load() != nil }

// Count counts a drop of which there is nothing more to tell. For others there is Drop.
func (t *Tracer) Count(r Reason) { t.drops[r].Add(1) }

// Drops returns how many packets were dropped for a reason since the lab began.
func (t *Tracer) Drops(r Reason) uint64 { return t.drops[r].Load() }

// Begin starts the journey of a packet that appears at now. It returns nil when nobody listens: every method of a nil
// Journey is a no-op, and callers ask On before they build an event. End must be called when the packet is done with.
func (t *Tracer) Begin(now time.Time) *Journey {
	to := t.listeners.Load()
	if to == nil || !compiled {
		return nil
	}
	return t.resume(to, Token{packet: t.journeys.Add(1)}, now)
}

// Resume continues a journey that was left with Leave, at now: a packet that had to wait for an ARP answer, say. A
// journey that nobody watched is not watched from the middle on.
func (t *Tracer) Resume(token Token, now time.Time) *Journey {
	to := t.listeners.Load()
	if to == nil || token.packet == 0 {
		return nil
	}
	return t.resume(to, token, now)
}

func (t *Tracer) resume(to *listeners, token Token, now time.Time) *Journey {
	j, _ := t.pool.Get().(*Journey)
	if j == nil {
		j = new(Journey)
	}
	*j = Journey{tracer: t, to: to, packet: token.packet, hop: token.hop, hops: token.hops, came: token.came, now: now}
	return j
}

// LossLength is enough of a line to say of it what LossIn says.
const LossLength = 128

// losses are the lines in which a Printer says that events are missing.
var losses = [...]string{Key("(%s event lost: this reader is slower than the network)"), Key("(%s events lost: this reader is slower than the network)")}

func lossText(in Language, n uint64) string {
	if n == 1 {
		return in(losses[0], "1")
	}
	return in(losses[1], commas(n))
}

// LossIn returns how many events are missing according to a line that a Printer of that language, or a JSON, has written; of any
// other line 0.
func LossIn(in Language, line []byte) uint64 {
	if bytes.HasPrefix(line, []byte(`{"lost":`)) {
		var loss struct{ Lost uint64 }
		_ = json.Unmarshal(line, &loss)
		return loss.Lost
	}
	for _, key := range losses {
		before, after, _ := strings.Cut(in(key, "\x00"), "\x00")
		number, begins := strings.CutPrefix(string(bytes.TrimSpace(line)), before)
		number, ends := strings.CutSuffix(number, after)
		if n, err := strconv.ParseUint(strings.ReplaceAll(number, ",", ""), 10, 64); begins && ends && err == nil {
			return n
		}
	}
	return 0
}

// Contain, deferred, ends a panic of the calling goroutine: it is counted for the reason and told of (see OnFault), and the
// function returns. what says what failed: "the gateway's timer". For goroutines that are no port's; those see to themselves.
func (t *Tracer) Contain(r Reason, what string) {
	if fault := recover(); fault != nil {
		t.Count(r)
		t.Fault(what, fault)
	}
}

// Fault tells of a panic that somebody has recovered from, in the deferred function, while the stack is still there. Counting
// it is the caller's.
func (t *Tracer) Fault(what string, recovered any) {
	if say := t.faults.Load(); say != nil {
		(*say)(fmt.Errorf("%s failed: %v\n%s", what, recovered, debug.Stack()))
	}
}

// OnFault says who hears of panics that were contained. It may be called from any goroutine, whatever lock that holds, and must
// not block.
func (t *Tracer) OnFault(say func(error)) { t.faults.Store(&say) }

// Sink takes events in the order in which a Ring gives them, and writes them down for somebody: a Printer, a JSON, the
// pcap package's Writer. Events are lent for the call. After an error a sink is of no further use. Sinks are for one
// goroutine.
type Sink interface {
	Event(e *Event) error
	// Lost says that n events are missing here, because the reader was slower than the network.
	Lost(n uint64) error
	// Idle says that now there is nothing more to come for a moment: what can be written is written.
	Idle(now time.Time) error
	// Flush writes everything that is left.
	Flush() error
}

// idleEvery is how often a sink hears of the time while nothing happens.
const idleEvery = 50 * time.Millisecond

// Drain hands the ring's events that match f to sink until ctx ends or sink fails. What the ring still holds when ctx
// ends is handed on first; then the error is nil. A nil f matches everything. now is the clock that the events' times
// come from.
func (r *Ring) Drain(ctx context.Context, f *Filter, sink Sink, now func() time.Time) error {
	ticker := time.NewTicker(idleEvery)
	defer ticker.Stop()
	var e Event
	for {
		if err := r.empty(&e, f, sink); err != nil {
			return err
		}
		if err := sink.Idle(now()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			if err := r.empty(&e, f, sink); err != nil {
				return err
			}
			return sink.Flush()
		case <-r.wake:
		case <-ticker.C:
		}
	}
}

// empty hands on what is in the ring, using e as its scratch space.
func (r *Ring) empty(e *Event, f *Filter, sink Sink) error {
	for {
		lost, ok := r.TryNext(e)
		if !ok {
			return nil
		}
		if lost > 0 {
			if err := sink.Lost(lost); err != nil {
				return err
			}
		}
		if err := f.Pass(e, sink.Event); err != nil {
			return err
		}
	}
}

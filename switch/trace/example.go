package trace

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Examples are for people who ask what has happened before they began to listen: of each reason the last drop is kept,
// whole, as an event. A drop is rare, except in a flood, where it costs one look at the clock: within exampleGap nothing
// newer is kept, and nobody waits for anybody.
const (
	exampleGap  = 100 * time.Millisecond
	exampleSnap = 128 // bytes of the frame
)

// examples has one place a reason, all made at once.
type examples struct {
	now   func() time.Time
	slots [reasonEnd]example
}

type example struct {
	taken atomic.Int64 // when, in nanoseconds since 1970; 0: never

	mu    sync.Mutex // guards what follows; a drop that finds it taken is not kept
	event Event
	frame [exampleSnap]byte
	size  int
}

// nobody listens to the journey of a drop that is only kept.
var nobody = new(listeners)

// KeepExamples makes the tracer keep the last drop of each reason from now on. now is the clock that the events' times come
// from.
func (t *Tracer) KeepExamples(now func() time.Time) { t.examples.Store(&examples{now: now}) }

// Drop counts a drop, whether or not anybody listens, and returns the journey that is to be told of it with one Emit: j, or
// one for this event alone if nobody listens and an example of the reason is due; otherwise nil.
func (t *Tracer) Drop(r Reason, j *Journey) *Journey {
	t.drops[r].Add(1)
	if j != nil {
		return j
	}
	x := t.examples.Load()
	if x == nil {
		return nil
	}
	now := x.now()
	if !x.slots[r].due(now) {
		return nil
	}
	j = t.resume(nobody, Token{}, now)
	j.alone = true
	return j
}

// due reports whether it is time for a newer example, and makes this one the newest. A clock that was set back does not
// stop it.
func (x *example) due(now time.Time) bool {
	at, before := now.UnixNano(), x.taken.Load()
	since := time.Duration(at - before)
	return (before == 0 || since >= exampleGap || since < 0) && x.taken.CompareAndSwap(before, at)
}

// keep makes a drop the example of its reason, if one is due.
func (j *Journey) keep(e *Event) {
	x := j.tracer.examples.Load()
	if x != nil && (j.alone || x.slots[e.Reason].due(e.Time)) {
		x.slots[e.Reason].store(e)
	}
}

func (x *example) store(e *Event) {
	if !x.mu.TryLock() {
		return
	}
	defer x.mu.Unlock()
	x.event = *e
	x.size = copy(x.frame[:], e.Frame.Data)
	x.event.Length, x.event.Frame.Data = e.length(), nil
}

// Example returns the last drop for a reason that was kept, with the beginning of its frame in bytes of its own; ok is false
// if there is none. Its Packet is 0 if nobody listened then.
func (t *Tracer) Example(r Reason) (e Event, ok bool) {
	x := t.examples.Load()
	if x == nil {
		return e, false
	}
	s := &x.slots[r]
	s.mu.Lock()
	defer s.mu.Unlock()
	e = s.event
	e.Frame.Data = slices.Clone(s.frame[:s.size])
	return e, e.Verdict == Drop
}

package trace

import (
	"context"
	"time"
)

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

package trace

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Stepper holds the packets that somebody wants to look at, each at every step it takes, until Go lets it take the next.
// Nothing else waits: a packet that is wanted is copied where its journey begins, and a goroutine of its sender's carries
// it through the very same path, while whoever brought it goes on with the next frame.
//
//	Port.Run ----> Input --+-- not wanted ------------------------> path ...
//	                       +-- Journey.Hold: a copy, in its sender's lane
//	                                 |
//	                            lane goroutine: path -- Emit -- Emit -- Emit ...
//	                                                     ^        ^
//	                                                     +--------+---- Next shows the stop, Go ends it
//
// The packets of one sender stay in order among themselves. Whoever waits for a packet that is held sees it late, as on a
// slow network: a packet goes on with the time at which it was let go, and so no table sees time run backwards.
//
// A Stepper is attached with Tracer.AttachStepper and released with Tracer.DetachStepper. Its methods may be called from
// many goroutines.
type Stepper struct {
	config StepperConfig
	passed atomic.Uint64 // wanted packets that were not held, for want of room
	done   chan struct{} // closed when everybody is let go
	wake   chan struct{} // somebody has stopped
	active sync.WaitGroup

	mu    sync.Mutex // guards what follows and the filter; never held while a packet moves
	lanes map[string][]job
	legs  map[uint64]*leg
	last  uint64 // leg
	held  int    // packets in lanes
	stops []Stop
}

// StepperConfig says which packets a Stepper holds, and its bounds.
type StepperConfig struct {
	Filter   *Filter          // the Stepper's own from now on; its hooks do not matter; nil: every packet
	Max      int              // packets that are held at once, 1 at least; further ones pass by
	Patience time.Duration    // after that long at one stop a packet takes the rest of its way by itself
	Now      func() time.Time // the clock that events' times come from
}

// maxStops bounds the stops of packets that do not wait, which nobody has asked for yet.
const maxStops = 4096

// NewStepper makes a Stepper.
func NewStepper(c StepperConfig) *Stepper {
	c.Max = max(c.Max, 1)
	return &Stepper{config: c, done: make(chan struct{}), wake: make(chan struct{}, 1),
		lanes: map[string][]job{}, legs: map[uint64]*leg{}}
}

// AttachStepper begins to hold packets. Of several Steppers that want a packet the first one gets it.
func (t *Tracer) AttachStepper(s *Stepper) {
	t.change(func() { t.steppers = append(t.steppers, s) })
}

// DetachStepper ends what AttachStepper began: all that is held takes the rest of its way, in its order, and has taken it
// when DetachStepper returns. Detaching twice is harmless.
func (t *Tracer) DetachStepper(s *Stepper) {
	t.change(func() {
		var others []*Stepper
		for _, other := range t.steppers {
			if other != s {
				others = append(others, other)
			}
		}
		t.steppers = others
	})
	s.mu.Lock()
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	s.mu.Unlock()
	s.active.Wait()
}

// Next returns the next stop, waiting until there is one. The error is ctx's.
func (s *Stepper) Next(ctx context.Context) (Stop, error) {
	for {
		s.mu.Lock()
		if len(s.stops) > 0 {
			stop := s.stops[0]
			s.stops = s.stops[1:]
			s.mu.Unlock()
			return stop, nil
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return Stop{}, ctx.Err()
		case <-s.wake:
		}
	}
}

// errNotHeld is said of a leg that is over.
var errNotHeld = errors.New("no such packet is held")

// Go lets a packet that waits take its next step.
func (s *Stepper) Go(id uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.legs[id]
	if l == nil {
		return errNotHeld
	}
	select {
	case l.next <- struct{}{}:
	default: // it has been told already
	}
	return nil
}

// Passed returns how many packets were wanted and passed by nevertheless, because Max others were held.
func (s *Stepper) Passed() uint64 { return s.passed.Load() }

// Held returns how many packets are held: those that wait at a stop, and those of the same senders behind them.
func (s *Stepper) Held() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// post hands a stop to Next. s.mu is held.
func (s *Stepper) post(stop Stop) {
	if !stop.Waits && stop.Kind == Stepped && len(s.stops) >= maxStops {
		return
	}
	s.stops = append(s.stops, stop)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Stop is a packet that has taken a step.
type Stop struct {
	Leg   uint64 // what Go calls the packet by: a journey that waits in between for something has several
	Kind  StopKind
	Waits bool   // until Go is called or its patience is over
	Late  bool   // its patience was over at the stop before
	Fault string // on Ended: the code failed on this packet, which ended there
	Event Event  // the step; on Arrived and Ended its Packet, Where, Port and Frame only. Its bytes are its own
}

// StopKind says what part of its way a packet has come to.
type StopKind uint8

// The kinds of stops.
const (
	Arrived StopKind = iota + 1 // no step has been taken
	Stepped                     // Event was
	Ended                       // there are no more steps
)

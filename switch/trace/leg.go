package trace

import (
	"fmt"
	"time"

	"uswitch/switch/frame"
)

// job is a packet that waits in its sender's lane.
type job struct {
	event Event       // where it enters; the frame is clipped from the one below
	frame frame.Frame // its own
	from  Token       // the journey so far
	carry func(f frame.Frame, j *Journey, now time.Time)
}

// leg is a journey, or a stretch of one, that somebody steps through. Only its lane's goroutine calls its methods.
type leg struct {
	id      uint64
	stepper *Stepper
	tracer  *Tracer
	next    chan struct{} // Go has been called
	free    bool          // it stops no more: the stepper has gone, or nobody has called Go for too long
	late    bool          // the latter
}

// Steps reports whether anybody steps through packets: then Hold is to be asked before the packet is carried.
func (j *Journey) Steps() bool { return j != nil && len(j.to.steppers) > 0 }

// Hold gives the packet to somebody who steps through it, if anybody wants to. e shows the packet where it enters; f is its
// frame, which is copied. If Hold returns true the caller is done with the packet: carry is called by another goroutine,
// with the copy, with a journey that ends when carry returns, and with the time at which that begins.
func (j *Journey) Hold(e Event, f frame.Frame, carry func(f frame.Frame, j *Journey, now time.Time)) bool {
	e.Time, e.Packet, e.Frame.Offload = j.now, j.packet, f.Offload
	for _, s := range j.to.steppers {
		if s.take(j, &e, f, carry) {
			return true
		}
	}
	return false
}

// take puts a packet into its sender's lane, if it is wanted and there is room.
func (s *Stepper) take(j *Journey, e *Event, f frame.Frame, carry func(frame.Frame, *Journey, time.Time)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.done:
		return false
	default:
	}
	switch {
	case !s.config.Filter.begins(e):
		return false
	case s.held >= s.config.Max:
		s.passed.Add(1)
		return false
	}
	b := job{event: *e, frame: f.Clone(), from: Token{j.packet, j.hop, j.hops, j.came}, carry: carry}
	b.event.Length, b.event.Frame.Data = e.length(), clip(e.Frame.Data)
	sender := "gateway"
	if e.Hook == Ingress {
		sender = e.Where + "\x00" + e.Port
	}
	s.held++
	if waiting, moving := s.lanes[sender]; moving {
		s.lanes[sender] = append(waiting, b)
		return true
	}
	s.lanes[sender] = nil
	tracer := j.tracer
	s.active.Go(func() { s.run(sender, b, tracer) })
	return true
}

// clip copies as much of a frame as a person looks at.
func clip(data []byte) []byte { return append([]byte(nil), data[:min(len(data), keepBytes)]...) }

// run carries a sender's packets, one behind the other, until none is left.
func (s *Stepper) run(sender string, b job, t *Tracer) {
	for {
		s.carry(&b, t)
		s.mu.Lock()
		s.held--
		waiting := s.lanes[sender]
		if len(waiting) == 0 {
			delete(s.lanes, sender)
			s.mu.Unlock()
			return
		}
		b, s.lanes[sender] = waiting[0], waiting[1:]
		s.mu.Unlock()
	}
}

// carry takes one packet along its way.
func (s *Stepper) carry(b *job, t *Tracer) {
	s.mu.Lock()
	s.last++
	l := &leg{id: s.last, stepper: s, tracer: t, next: make(chan struct{}, 1)}
	s.legs[l.id] = l
	s.mu.Unlock()
	now := l.wait(Stop{Kind: Arrived, Event: b.event})

	to := t.listeners.Load()
	if to == nil {
		to = nobody
	}
	j := t.resume(to, b.from, now)
	j.held = l
	fault := l.call(b, j, now)
	j.End()

	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.legs, l.id)
	s.post(Stop{Leg: l.id, Kind: Ended, Late: l.late, Fault: fault, Event: b.event})
}

// call runs the path. Nothing that a packet does may end the process.
func (l *leg) call(b *job, j *Journey, now time.Time) (fault string) {
	defer func() {
		if r := recover(); r != nil {
			l.tracer.Count(PortFault)
			fault = fmt.Sprint(r)
		}
	}()
	b.carry(b.frame, j, now)
	return ""
}

// stop shows a step, and returns when the packet goes on.
func (l *leg) stop(e *Event) time.Time {
	stop := Stop{Kind: Stepped, Event: *e}
	stop.Event.Length, stop.Event.Frame.Data = e.length(), clip(e.Frame.Data)
	return l.wait(stop)
}

// wait shows a stop and waits for Go, for the end of patience, or for the stepper's end.
func (l *leg) wait(stop Stop) time.Time {
	s := l.stepper
	s.mu.Lock()
	select {
	case <-l.next: // of a Go that came when the packet did not wait
	default:
	}
	s.config.Filter.expects(&stop.Event)
	stop.Leg, stop.Waits, stop.Late = l.id, !l.free, l.late
	s.post(stop)
	s.mu.Unlock()
	if !stop.Waits {
		return s.config.Now()
	}
	patience := time.NewTimer(s.config.Patience)
	defer patience.Stop()
	select {
	case <-l.next:
	case <-s.done:
		l.free = true
	case <-patience.C:
		l.free, l.late = true, true
	}
	return s.config.Now()
}

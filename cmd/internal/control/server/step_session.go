package server

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/trace"
)

// stepSession tells one client of the packets that are held for it, one at a time.
type stepSession struct {
	server  *Server
	stepper *trace.Stepper
	at      []string // hooks where packets stop first
	out     *json.Encoder
	legs    map[uint64]*legState

	mu   sync.Mutex      // guards what follows
	runs map[uint64]bool // legs that are to stop no more
}

// legState is what is known of a packet on its way.
type legState struct {
	subject subject    // what it is about so far
	before  api.Tables // the tables after its last step
	stops   bool       // at every step from now on
}

// run hands on stops until the client or the lab is gone.
func (s *stepSession) run(ctx context.Context) {
	names := s.server.world.Names()
	for {
		stop, err := s.stepper.Next(ctx)
		if err != nil {
			return
		}
		switch stop.Kind {
		case trace.Arrived:
			s.begin(&stop)
		case trace.Stepped:
			err = s.step(&stop, names)
		case trace.Ended:
			err = s.end(&stop)
		}
		if err != nil {
			return
		}
	}
}

// begin looks at the tables before a packet's first step.
func (s *stepSession) begin(stop *trace.Stop) {
	l := &legState{stops: len(s.at) == 0, before: s.server.tables()}
	l.subject.add(&stop.Event)
	s.legs[stop.Leg] = l
	_ = s.stepper.Go(stop.Leg)
}

// goOn lets a packet go on, to its next step or, with run, to the end of its way. It still waits at each step until the
// tables were looked at, so that what it changes is told of the right step.
func (s *stepSession) goOn(leg uint64, run bool) error {
	s.mu.Lock()
	if run {
		s.runs[leg] = true
	}
	s.mu.Unlock()
	return s.stepper.Go(leg)
}

// stopsAt reports whether a packet is to stop at a step.
func (s *stepSession) stopsAt(stop *trace.Stop, l *legState) bool {
	l.stops = l.stops || slices.Contains(s.at, stop.Event.Hook.String())
	s.mu.Lock()
	defer s.mu.Unlock()
	return stop.Waits && l.stops && !s.runs[stop.Leg]
}

// step tells of a step, and lets the packet go on if it is not to stop there.
func (s *stepSession) step(stop *trace.Stop, names trace.Names) error {
	l := s.legs[stop.Leg]
	e := api.StepEvent{Kind: api.StepPassed, Leg: stop.Leg, Step: stepOf(&stop.Event, names), Held: s.stepper.Held(), Passed: s.stepper.Passed()}
	l.subject.add(&stop.Event)
	e.Changed = s.changes(l, stop.Event.Hook)
	if s.stopsAt(stop, l) {
		e.Kind, e.Next = api.StepStopped, s.server.looks(&stop.Event, &l.subject, &l.before)
		return s.out.Encode(e)
	}
	err := s.out.Encode(e)
	if stop.Waits {
		_ = s.stepper.Go(stop.Leg)
	}
	return err
}

// end tells of a packet's end, and what its last step has changed.
func (s *stepSession) end(stop *trace.Stop) error {
	l := s.legs[stop.Leg]
	delete(s.legs, stop.Leg)
	s.mu.Lock()
	delete(s.runs, stop.Leg)
	s.mu.Unlock()
	return s.out.Encode(api.StepEvent{Kind: api.StepEnded, Leg: stop.Leg, Changed: s.changes(l, 0), Held: s.stepper.Held(), Passed: s.stepper.Passed(),
		Late: stop.Late, Fault: stop.Fault})
}

// changes compares the tables with what they were after the packet's last step; hook is that of its step now, 0 at its end.
func (s *stepSession) changes(l *legState, hook trace.Hook) *api.Changes {
	now := s.server.tables()
	c := compare(&l.before, &now, &l.subject, hook)
	l.before = now
	return c
}

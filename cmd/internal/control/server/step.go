package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world"
	"uswitch/switch/trace"
)

// steppers are the clients who step through packets at the moment.
type steppers struct {
	mu   sync.Mutex // guards what follows
	last uint64
	open map[uint64]*stepSession
}

func (s *steppers) add(t *stepSession) (id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[uint64]*stepSession{}
	}
	s.last++
	s.open[s.last] = t
	return s.last
}

func (s *steppers) remove(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

func (s *steppers) find(id uint64) *stepSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[id]
}

// Bounds of a StepQuery.
const (
	defaultHeld     = 64
	maxHeld         = 1024
	defaultPatience = time.Minute
	maxPatience     = 10 * time.Minute
)

// parseStep reads a query.
func parseStep(q url.Values) (t api.StepQuery, err error) {
	spec, err := parseTrace(q)
	if err != nil {
		return t, err
	}
	t = api.StepQuery{Filter: spec.Filter, Max: defaultHeld, Patience: defaultPatience}
	if text := q.Get("max"); text != "" {
		if t.Max, err = strconv.Atoi(text); err != nil || t.Max < 1 || t.Max > maxHeld {
			return t, words.Errorf("max %q: want a number from 1 to %d", text, maxHeld)
		}
	}
	if text := q.Get("patience"); text != "" {
		if t.Patience, err = time.ParseDuration(text); err != nil || t.Patience <= 0 || t.Patience > maxPatience {
			return t, words.Errorf("patience %q: want a time as in 30s, at most %v", text, maxPatience)
		}
	}
	return t, nil
}

// step pauses packets as long as the client listens: once the answer ends, or the client is gone, they all go on.
func (s *Server) step(w http.ResponseWriter, r *http.Request) {
	q, err := parseStep(r.URL.Query())
	if err != nil {
		fail(w, r, err)
		return
	}
	at := q.Filter.Hooks
	filter, err := q.Filter.Compile(world.Addresses(s.world.Plan()))
	if err != nil {
		fail(w, r, err)
		return
	}
	stepper := trace.NewStepper(trace.StepperConfig{Filter: filter, Max: q.Max, Patience: q.Patience, Now: s.world.Now})
	session := &stepSession{server: s, in: reader(r), stepper: stepper, at: at, legs: map[uint64]*legState{}, runs: map[uint64]bool{}}
	id := s.steppers.add(session)
	defer s.steppers.remove(id)
	out, done, err := s.stream(w, ndjson)
	if err != nil {
		fail(w, r, err)
		return
	}
	defer done()
	defer s.world.Clock().Attend(true)()
	s.world.Tracer().AttachStepper(stepper)
	defer s.world.Tracer().DetachStepper(stepper)
	session.out = json.NewEncoder(out)
	if session.out.Encode(api.StepEvent{Kind: api.StepBegun, Session: id}) == nil {
		session.run(r.Context())
	}
}

// goOn lets a packet that is paused go on.
func (s *Server) goOn(r *http.Request) (any, error) {
	var q api.StepRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	session := s.steppers.find(q.Session)
	if session == nil {
		return nil, refuse(http.StatusNotFound, words.Errorf("session %d: nobody steps there any more", q.Session))
	}
	return done{}, session.goOn(q.Leg, q.Run)
}

// journey returns the steps of a packet that are still remembered: ?packet=7.
func (s *Server) journey(r *http.Request) (any, error) {
	text := r.URL.Query().Get("packet")
	packet, err := strconv.ParseUint(text, 10, 64)
	if err != nil || packet == 0 {
		return nil, words.Errorf("packet %q: want its number in the trace, 1 or more", text)
	}
	steps := []api.Step{}
	names := s.world.Names()
	for _, e := range s.world.Tracer().History(packet) {
		steps = append(steps, *stepOf(&e, reader(r), names))
	}
	if len(steps) == 0 {
		return nil, refuse(http.StatusNotFound, words.Errorf("packet %d is not remembered: "+
			"packets are while somebody listens, as uswitch trace does, until newer ones take their place", packet))
	}
	return steps, nil
}

func stepOf(e *trace.Event, in trace.Language, names trace.Names) *api.Step {
	where, what := e.Step()
	h := e.Head(in, names)
	s := &api.Step{Time: e.Time, Packet: e.Packet, Hop: e.Hop, Where: where, What: what, Hook: e.Hook.String(), Verdict: e.Verdict.String(),
		Conn: e.Conn, Text: e.Text(in), Summary: h.Summary(), Length: h.Length, IP: e.IP,
		Place: e.Where, Port: e.Port, Rule: e.Rule, Chain: e.Chain, Data: e.Frame.Data}
	for _, port := range e.Ports {
		if port != e.Port {
			s.Ports = append(s.Ports, port)
		}
	}
	if e.Local {
		s.Ports = append(s.Ports, "gateway")
	}
	if e.Reason != trace.NoReason {
		s.Reason = e.Reason.String()
	}
	return s
}

// stepSession tells one client of the packets that are paused for it, one at a time.
type stepSession struct {
	server  *Server
	in      trace.Language
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
	e := api.StepEvent{Kind: api.StepPassed, Leg: stop.Leg, Step: stepOf(&stop.Event, s.in, names), Held: s.stepper.Held(), Passed: s.stepper.Passed()}
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

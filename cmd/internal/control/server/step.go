package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"uswitch/cmd/internal/control/api"
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
			return t, fmt.Errorf("max %q: want a number from 1 to %d", text, maxHeld)
		}
	}
	if text := q.Get("patience"); text != "" {
		if t.Patience, err = time.ParseDuration(text); err != nil || t.Patience <= 0 || t.Patience > maxPatience {
			return t, fmt.Errorf("patience %q: want a time as in 30s, at most %v", text, maxPatience)
		}
	}
	return t, nil
}

// step holds packets as long as the client listens: once the answer ends, or the client is gone, they all go on.
func (s *Server) step(w http.ResponseWriter, r *http.Request) {
	q, err := parseStep(r.URL.Query())
	if err != nil {
		fail(w, err)
		return
	}
	at := q.Filter.Hooks
	filter, err := q.Filter.Compile(world.Addresses(s.world.Plan()))
	if err != nil {
		fail(w, err)
		return
	}
	stepper := trace.NewStepper(trace.StepperConfig{Filter: filter, Max: q.Max, Patience: q.Patience, Now: time.Now})
	session := &stepSession{server: s, stepper: stepper, at: at, legs: map[uint64]*legState{}, runs: map[uint64]bool{}}
	id := s.steppers.add(session)
	defer s.steppers.remove(id)
	out, done, err := s.stream(w, "application/x-ndjson")
	if err != nil {
		fail(w, err)
		return
	}
	defer done()
	s.world.Tracer().AttachStepper(stepper)
	defer s.world.Tracer().DetachStepper(stepper)
	session.out = json.NewEncoder(out)
	if session.out.Encode(api.StepEvent{Kind: api.StepBegun, Session: id}) == nil {
		session.run(r.Context())
	}
}

// goOn lets a packet that is held go on.
func (s *Server) goOn(r *http.Request) (any, error) {
	var q api.StepRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	session := s.steppers.find(q.Session)
	if session == nil {
		return nil, &api.Error{Code: http.StatusNotFound, Message: fmt.Sprintf("session %d: nobody steps there any more", q.Session)}
	}
	return done{}, session.goOn(q.Leg, q.Run)
}

// journey returns the steps of a packet that are still remembered: ?packet=7.
func (s *Server) journey(r *http.Request) (any, error) {
	text := r.URL.Query().Get("packet")
	packet, err := strconv.ParseUint(text, 10, 64)
	if err != nil || packet == 0 {
		return nil, fmt.Errorf("packet %q: want its number in the trace, 1 or more", text)
	}
	steps := []api.Step{}
	names := s.world.Names()
	for _, e := range s.world.Tracer().History(packet) {
		steps = append(steps, *stepOf(&e, names))
	}
	if len(steps) == 0 {
		return nil, &api.Error{Code: http.StatusNotFound, Message: fmt.Sprintf("packet %d is not remembered: "+
			"packets are while somebody listens, as uswitch trace does, until newer ones take their place", packet)}
	}
	return steps, nil
}

func stepOf(e *trace.Event, names trace.Names) *api.Step {
	where, what := e.Step()
	h := e.Head(names)
	s := &api.Step{Time: e.Time, Packet: e.Packet, Hop: e.Hop, Where: where, What: what, Hook: e.Hook.String(), Verdict: e.Verdict.String(),
		Conn: e.Conn, Text: e.Text(), Summary: h.Summary(), Length: h.Length, IP: e.IP,
		Data: e.Frame.Data}
	if e.Reason != trace.NoReason {
		s.Reason = e.Reason.String()
	}
	return s
}

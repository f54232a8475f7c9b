package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/explain"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world/snapshot"
	"uswitch/switch/trace"
)

// askTime bounds how long a client waits for the answer to many questions at once.
const (
	askTime     = 25 * time.Second
	predictTime = 7 * time.Second  // of a matrix whose questions are sent as well
	sendTime    = 11 * time.Second // for its packets: both together leave something of 20 s
)

// explain says what would become of a packet and, with ?send=1, what becomes of a real one.
func (s *Server) explain(r *http.Request) (any, error) {
	q, err := readQuestion(r)
	if err != nil {
		return nil, err
	}
	l, a, err := s.predict(reader(r), q)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	if r.URL.Query().Has("send") {
		s.settled(r.Context(), l, a)
	}
	return a, nil
}

// predict answers on a copy of the lab, which the caller closes.
func (s *Server) predict(in trace.Language, q api.Question) (*explain.Lab, *api.Answer, error) {
	s.asking.Lock()
	defer s.asking.Unlock()
	l := snapshot.Of(s.world, in)
	a, err := l.Explain(q)
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	return l, a, nil
}

// whyNot says what would let it pass.
func (s *Server) whyNot(r *http.Request) (any, error) {
	q, err := readQuestion(r)
	if err != nil {
		return nil, err
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	l := snapshot.Of(s.world, reader(r))
	defer l.Close()
	return l.WhyNot(q)
}

func readQuestion(r *http.Request) (q api.Question, err error) {
	err = decode(r, &q)
	return q, err
}

// reach asks every question that the lab suggests, and with ?send=1 then sends them all. That may take longer than other
// answers.
func (s *Server) reach(w http.ResponseWriter, r *http.Request) {
	writeWithin(w, askTime+writeTime)
	var o explain.ReachOptions
	if text := r.URL.Query().Get("outside"); text != "" {
		a, err := netip.ParseAddr(text)
		if err != nil || !a.Is4() {
			fail(w, r, words.Errorf("outside %q: want an IPv4 address", text))
			return
		}
		o.Outside = a
	}
	send, patience := r.URL.Query().Has("send"), askTime
	if send {
		o.Partial, patience = true, predictTime // the packets are worth more
	}
	l, m, err := s.matrix(r.Context(), reader(r), o, patience)
	if err != nil {
		fail(w, r, err)
		return
	}
	defer l.Close()
	if send {
		ctx, cancel := context.WithTimeout(r.Context(), sendTime)
		defer cancel()
		asked, cells := m.Asked()
		for i, sent := range s.send(ctx, l, asked) {
			if sent != nil {
				cells[i].Settle(l.In, sent)
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(m)
}

func (s *Server) matrix(ctx context.Context, in trace.Language, o explain.ReachOptions, patience time.Duration) (*explain.Lab, *api.Matrix, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s.asking.Lock()
	defer s.asking.Unlock()
	l := snapshot.Of(s.world, in)
	m, err := l.Reach(ctx, o)
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	return l, m, nil
}

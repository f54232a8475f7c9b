package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"uswitch/cmd/internal/ask"
	"uswitch/cmd/internal/snapshot"
)

// askTime bounds how long a client waits for the answer to many questions at once.
const askTime = 25 * time.Second

// explain says what would become of a packet.
func (s *Server) explain(r *http.Request) (any, error) {
	q, err := readQuestion(r)
	if err != nil {
		return nil, err
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	return snapshot.Of(s.world).Explain(q)
}

// whyNot says what would let it pass.
func (s *Server) whyNot(r *http.Request) (any, error) {
	q, err := readQuestion(r)
	if err != nil {
		return nil, err
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	return snapshot.Of(s.world).WhyNot(q)
}

func readQuestion(r *http.Request) (q ask.Question, err error) {
	err = decode(r, &q)
	return q, err
}

// ReachQuery returns the options of a matrix as a query.
func ReachQuery(o ask.ReachOptions) url.Values {
	q := url.Values{}
	if o.Outside.IsValid() {
		q.Set("outside", o.Outside.String())
	}
	return q
}

// reach asks every question that the lab suggests. That may take longer than other answers.
func (s *Server) reach(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(askTime + writeTime))
	ctx, cancel := context.WithTimeout(r.Context(), askTime)
	defer cancel()
	var o ask.ReachOptions
	if text := r.URL.Query().Get("outside"); text != "" {
		a, err := netip.ParseAddr(text)
		if err != nil || !a.Is4() {
			fail(w, fmt.Errorf("outside %q: want an IPv4 address", text))
			return
		}
		o.Outside = a
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	m, err := snapshot.Of(s.world).Reach(ctx, o)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(m)
}

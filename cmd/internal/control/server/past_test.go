package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/control/api"
)

// TestTablesOfThePast: what the tables were when a packet had passed is what they said then, whatever became of them since; and what
// nobody has looked at is not known.
func TestTablesOfThePast(t *testing.T) {
	s := start(t)
	s.Start()
	past := func(when time.Time) (p api.Past, err error) {
		err = s.Do(t.Context(), http.MethodGet, api.PastPath, url.Values{"time": {when.Format(time.RFC3339Nano)}}, nil, &p)
		return p, err
	}
	if _, err := past(time.Now()); err == nil || !strings.Contains(err.Error(), "nobody has") {
		t.Errorf("before anybody follows: %v", err)
	}
	f := s.feed(t, url.Values{"no-fold": {"1"}})
	f.next()
	passed := func() (at time.Time, then api.Past) {
		t.Helper()
		s.ask()
		j := f.journeys(1, func(told) {})[0]
		at = j.Steps[len(j.Steps)-1].Time
		for late := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			p, err := past(at)
			if err == nil {
				return at, p
			}
			if time.Now().After(late) {
				t.Fatal(err)
			}
		}
	}
	stations := func(p api.Past) (all []string) {
		for _, e := range p.FDB {
			if e.State == "" {
				all = append(all, e.MAC.String()+" "+e.Ifname)
			}
		}
		return all
	}
	first, then := passed()
	var now []api.FDBEntry
	if err := s.Get(t.Context(), "/v1/fdb", nil, &now); err != nil {
		t.Fatal(err)
	}
	learned := stations(then)
	if len(learned) == 0 || !slices.Equal(learned, stations(api.Past{FDB: now})) || then.Taken.Before(first) || then.Before == nil || !then.Before.Before(then.Taken) {
		t.Errorf("when the packet had passed: %+v, and now %+v", then, now)
	}
	if !strings.Contains(then.Rules, "*nat") {
		t.Errorf("rules %q", then.Rules)
	}
	if err := s.Do(t.Context(), http.MethodDelete, "/v1/fdb", nil, api.FDBFlush{Master: "br0"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Do(t.Context(), http.MethodDelete, "/v1/neigh", nil, api.NeighborChange{Dev: "br0"}, nil); err != nil {
		t.Fatal(err)
	}
	passed() // somebody has looked since
	if again, err := past(first); err != nil || !slices.Equal(stations(again), learned) {
		t.Errorf("after the tables were emptied, those of then are %v (%v)", stations(again), err)
	}
	if _, err := past(first.Add(-time.Hour)); err == nil || !strings.Contains(err.Error(), "not kept") {
		t.Errorf("an hour before: %v", err)
	}
	if _, err := past(time.Now().Add(time.Hour)); err == nil || !strings.Contains(err.Error(), "nobody has looked") {
		t.Errorf("of the future: %v", err)
	}
	if err := s.Get(t.Context(), api.PastPath, url.Values{"time": {"yesterday"}}, nil); err == nil {
		t.Error("yesterday is a time")
	}
}

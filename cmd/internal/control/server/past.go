package server

import (
	"net/http"
	"slices"
	"sort"
	"sync"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/nat/rule"
)

// past keeps what the tables were at some moments: whenever packets have passed, as soon as they have been looked at. It is looked at
// while somebody follows /v1/events, as often as followers read those, and costs the path of packets nothing.
type past struct {
	server *Server

	mu   sync.Mutex // guards what follows
	kept []api.Past // the oldest first
	rows int        // in all of them
}

// Bounds of what is kept.
const (
	maxMoments  = 2000
	maxPastRows = 200_000 // in all of them, some 40 MB
	maxTable    = 4096    // rows of a table; of a larger one, nothing
)

// remember has the tables looked at while the ring of events receives.
func (s *Server) remember() { s.past.server, s.shared.watch = s, s.past.watch }

// watch looks at the tables until stop is closed: at first, and whenever the ring of events has got more.
func (p *past) watch(last func() uint64, stop <-chan struct{}) {
	ticker := time.NewTicker(readEvery)
	defer ticker.Stop()
	for seen := ^uint64(0); ; {
		if now := last(); now != seen {
			seen = now
			p.take()
		}
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
	}
}

// take looks at the tables, and keeps what it sees. One that is too large is left out, and named.
func (p *past) take() {
	m := api.Past{FDB: []api.FDBEntry{}, Neighbors: []api.Neighbor{}, Conns: []api.Conn{}}
	if rows, err := p.server.fdb(nil); err == nil {
		m.FDB = small(rows.([]api.FDBEntry), "fdb", &m)
	}
	if rows, err := p.server.neighbors(nil); err == nil {
		m.Neighbors = small(rows.([]api.Neighbor), "neigh", &m)
	}
	w := p.server.world
	if w.Gateway().ConnStats().Conns > maxTable {
		m.TooLarge = append(m.TooLarge, "conntrack")
	} else {
		for _, c := range w.Gateway().Conns(w.Now()) {
			m.Conns = append(m.Conns, *connOf(c))
		}
	}
	m.Rules = w.Gateway().Rules().Snapshot().Save(rule.SaveOptions{Counters: true, Now: w.Now(), Words: p.server.words()})
	m.Taken = w.Now()
	p.keep(m)
}

// small returns the rows of a table, or names it where it has too many.
func small[R any](rows []R, table string, m *api.Past) []R {
	if len(rows) > maxTable {
		m.TooLarge = append(m.TooLarge, table)
		return []R{}
	}
	return rows
}

func size(m *api.Past) int { return 1 + len(m.FDB) + len(m.Neighbors) + len(m.Conns) }

func (p *past) keep(m api.Past) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept, p.rows = append(p.kept, m), p.rows+size(&m)
	if len(p.kept) <= maxMoments && p.rows <= maxPastRows {
		return
	}
	oldest := max(len(p.kept)/8, 1) // many at a time, for those that stay are moved
	for _, m := range p.kept[:oldest] {
		p.rows -= size(&m)
	}
	p.kept = slices.Delete(p.kept, 0, oldest)
}

// at returns the first look at the tables that was not before a time, and when the one before that was.
func (p *past) at(when time.Time) (m api.Past, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := sort.Search(len(p.kept), func(i int) bool { return !p.kept[i].Taken.Before(when) })
	switch {
	case len(p.kept) == 0:
		return m, refuse(http.StatusNotFound, words.Errorf("the tables of the past are kept while somebody follows the lab, and nobody has"))
	case i == len(p.kept):
		return m, refuse(http.StatusNotFound, words.Errorf("not known: nobody has looked at the tables since"))
	case i == 0 && p.kept[0].Taken.After(when):
		return m, refuse(http.StatusNotFound, words.Errorf("not kept: the first look at the tables that is still known was at %s", p.kept[0].Taken.Format(time.RFC3339Nano)))
	}
	m = p.kept[i]
	if i > 0 {
		m.Before = &p.kept[i-1].Taken
	}
	return m, nil
}

// pastTables tells what the tables were.
func (s *Server) pastTables(r *http.Request) (any, error) {
	when, err := time.Parse(time.RFC3339Nano, r.URL.Query().Get("time"))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, words.Errorf("time: want one as a step has it, 2006-01-02T15:04:05.999999999Z"))
	}
	return s.past.at(when)
}

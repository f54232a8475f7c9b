package server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world"
)

func (s *Server) parseLogs(q url.Values) (l api.LogQuery, err error) {
	l = api.LogQuery{Hosts: q["host"], Tail: -1, Follow: q.Has("follow")}
	if text := q.Get("tail"); text != "" {
		if l.Tail, err = strconv.Atoi(text); err != nil || l.Tail < 0 {
			return l, words.Errorf("tail %q: want a number of lines", text)
		}
	}
	for _, name := range l.Hosts {
		if s.world.Host(name) == nil {
			return l, words.Errorf("host %q: there is no such host in lab %s", name, s.world.Plan().Name)
		}
	}
	return l, nil
}

// logs streams lines, one JSON object each. A client that reads slowly misses what is forgotten meanwhile, and is told how much
// that is.
func (s *Server) logs(w http.ResponseWriter, r *http.Request) {
	q, err := s.parseLogs(r.URL.Query())
	if err != nil {
		fail(w, r, err)
		return
	}
	out, done, err := s.stream(w, ndjson)
	if err != nil {
		fail(w, r, err)
		return
	}
	defer done()
	encoder := json.NewEncoder(out)
	lines, more := s.world.Log(0, q.Hosts...)
	last, gaps := uint64(0), world.LogGaps{}
	if len(lines) > 0 {
		last = lines[len(lines)-1].Number
	}
	gaps.Mark(lines)
	lines = tail(lines, q.Tail)
	for {
		for _, line := range lines {
			if encoder.Encode(api.LogLine(line)) != nil {
				return
			}
			last = line.Number
		}
		if !q.Follow {
			return
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return
		}
		lines, more = s.world.Log(last, q.Hosts...)
		gaps.Mark(lines)
	}
}

// tail returns the last n lines of each host; all of them if n is negative. What was lost before so many does not count.
func tail(lines []world.LogLine, n int) (last []world.LogLine) {
	if n < 0 {
		return lines
	}
	left := map[string]int{}
	for _, l := range lines {
		left[l.Host]++
	}
	for _, l := range lines {
		l.Lost = min(l.Lost, uint64(max(n-left[l.Host], 0)))
		if left[l.Host] <= n {
			last = append(last, l)
		}
		left[l.Host]--
	}
	return last
}

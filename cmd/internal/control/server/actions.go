package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world"
	"uswitch/nat/rule"
)

// done is the answer to what has nothing to say.
type done struct{}

func (s *Server) set(r *http.Request) (any, error) {
	var request api.SetRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	return done{}, s.world.Set(world.Change(request))
}

// stopLab answers before the lab begins to end.
func (s *Server) stopLab(*http.Request) (any, error) {
	s.stop()
	return done{}, nil
}

func (s *Server) iptables(r *http.Request) (any, error) {
	var request api.IptablesRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	tables, err := s.tablesFor(r.URL.Query())
	if err != nil {
		return nil, err
	}
	output, err := tables.ExecAs(s.words(), request.Args)
	return api.IptablesAnswer{Output: output}, toolError(err)
}

// tablesFor returns those of the family that is asked for: IPv4's, or with family=6 IPv6's.
func (s *Server) tablesFor(q url.Values) (*rule.Tables, error) {
	switch family := q.Get("family"); family {
	case "", "4":
		return s.world.Gateway().Rules(), nil
	case "6":
		return s.world.Gateway().Rules6(), nil
	default:
		return nil, refuse(http.StatusBadRequest, words.Errorf("family %q: want 4 or 6", family))
	}
}

// words are those of the iptables that the lab's file asks for.
func (s *Server) words() rule.Words {
	w, _ := rule.ParseWords(s.world.Plan().IptablesWords) // which package plan has checked
	return w
}

func (s *Server) restore(r *http.Request) (any, error) {
	q := r.URL.Query()
	table, err := tableOf(q)
	if err != nil {
		return nil, err
	}
	tables, err := s.tablesFor(q)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	err = tables.Restore(bytes.NewReader(text), rule.RestoreOptions{Table: table, NoFlush: q.Has("noflush"),
		Counters: q.Has("counters"), Test: q.Has("test")})
	return done{}, toolError(err)
}

func (s *Server) save(r *http.Request) (any, error) {
	q := r.URL.Query()
	table, err := tableOf(q)
	if err != nil {
		return nil, err
	}
	tables, err := s.tablesFor(q)
	if err != nil {
		return nil, err
	}
	return tables.Snapshot().Save(rule.SaveOptions{Table: table, Counters: q.Has("counters"), Now: s.world.Now(), Words: s.words()}), nil
}

func tableOf(q url.Values) (rule.Table, error) {
	name := q.Get("table")
	if name == "" {
		return 0, nil
	}
	table, ok := rule.ParseTable(name)
	if !ok {
		return 0, &api.Error{Code: http.StatusUnprocessableEntity, Status: int(rule.VersionProblem),
			Message: fmt.Sprintf("iptables: can't initialize iptables table `%s': Table does not exist", name)}
	}
	return table, nil
}

// toolError keeps the exit status that iptables has for an error.
func toolError(err error) error {
	var e *rule.Error
	if errors.As(err, &e) {
		return &api.Error{Code: http.StatusUnprocessableEntity, Message: e.Error(), Status: int(e.Status)}
	}
	return err
}

func (s *Server) published(*http.Request) (any, error) {
	rows := []api.Published{}
	for _, p := range s.world.Published() {
		rows = append(rows, publishedOf(p))
	}
	return rows, nil
}

func (s *Server) publish(r *http.Request) (any, error) {
	host, ports, err := s.readPorts(r)
	if err != nil {
		return nil, err
	}
	rows := []api.Published{}
	for i, p := range ports {
		open, err := s.world.Publish(host, p)
		if err != nil {
			for _, before := range ports[:i] {
				_ = s.world.Unpublish(host, before)
			}
			return nil, err
		}
		rows = append(rows, publishedOf(open))
	}
	return rows, nil
}

func (s *Server) unpublish(r *http.Request) (any, error) {
	host, ports, err := s.readPorts(r)
	if err != nil {
		return nil, err
	}
	for _, p := range ports {
		if err := s.world.Unpublish(host, p); err != nil {
			return nil, err
		}
	}
	return api.Count{Count: len(ports)}, nil
}

func (s *Server) readPorts(r *http.Request) (host string, ports []plan.Publish, err error) {
	var request api.PublishRequest
	if err := decode(r, &request); err != nil {
		return "", nil, err
	}
	ports, err = plan.ParsePublish(s.world.Plan(), request.Host, request.Port)
	return request.Host, ports, err
}

func publishedOf(p *world.Published) api.Published {
	return api.Published{Host: p.Host, Protocol: p.Proto, HostIP: p.Outside, HostPort: p.HostPort, To: p.To, Reach: p.Reach}
}

// applyTime bounds how long a lab may take to become another one: its commands have world.Patience to end, those of hosts that
// go first, and then those that change.
const applyTime = 2*world.Patience + 15*time.Second

// maxPlan bounds the plan that is to be applied: the largest lab has a few thousand hosts, of less than a kilobyte each.
const maxPlan = 16 << 20

func (s *Server) plans(*http.Request) (any, error) {
	return api.Plans[plan.Plan]{Plan: s.world.Plan(), Filed: s.world.Filed()}, nil
}

// apply may take longer than other answers, and its request may be larger. Once begun, it is brought to an end, whatever
// becomes of the client.
func (s *Server) apply(w http.ResponseWriter, r *http.Request) {
	writeWithin(w, applyTime+writeTime)
	var request api.ApplyRequest[plan.Plan]
	if err := decode(r, &request); err != nil {
		fail(w, r, err)
		return
	}
	if request.Plan == nil {
		fail(w, r, refuse(http.StatusBadRequest, words.Errorf("apply: want a plan")))
		return
	}
	do := s.world.Apply
	if request.DryRun {
		do = s.world.Preview
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), applyTime)
	defer cancel()
	lines, err := do(ctx, request.Plan)
	if err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(api.ApplyAnswer{Lines: append([]string{}, lines...)})
}

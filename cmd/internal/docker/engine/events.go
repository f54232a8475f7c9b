package engine

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
)

// maxEvents is how many events are kept for who asks later, as Docker keeps them.
const maxEvents = 256

// events is what has happened to containers and networks. Of the services of the lab's own file it has only what Docker's commands did to
// them: the lab itself starts and ends those.
type events struct {
	mu        sync.Mutex // guards what follows
	kept      []types.Event
	forgotten int           // how many came before these
	more      chan struct{} // closed when something happens
}

// tell notes that something has happened.
func (e *Engine) tell(kind, action, id string, attributes map[string]string) {
	now := e.now()
	event := types.Event{Type: kind, Action: action, Actor: types.Actor{ID: id, Attributes: attributes}, Scope: "local", Time: now.Unix(), TimeNano: now.UnixNano()}
	if kind == "container" {
		event.Status, event.ID, event.From = action, id, attributes["image"]
	}
	l := &e.happened
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept = append(l.kept, event); len(l.kept) > maxEvents {
		l.kept = slices.Delete(l.kept, 0, 1)
		l.forgotten++
	}
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
}

// tellOf notes what has happened to a container; more is what is said besides its image, name and labels: keys and values in turn.
func (e *Engine) tellOf(c *container, action string, more ...string) {
	all := maps.Clone(c.config.Labels)
	if all == nil {
		all = map[string]string{}
	}
	all["image"], all["name"] = c.config.Image, c.name
	for i := 0; i+1 < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	e.tell("container", action, c.id, all)
}

// tellSignal notes that a container was sent a signal.
func (e *Engine) tellSignal(c *container, s syscall.Signal) {
	if c.process != nil {
		e.tellOf(c, "kill", "signal", strconv.Itoa(int(s)))
	}
}

// tellNetwork notes what has happened to a network, or to a container's place on it.
func (e *Engine) tellNetwork(n *plan.Network, action, container string) {
	all := map[string]string{"name": n.Docker, "type": "bridge"}
	if container != "" {
		all["container"] = container
	}
	e.tell("network", action, n.ID(), all)
}

// tellPlaces notes that a container has come to its networks, or has left them. It needs the engine's lock.
func (e *Engine) tellPlaces(c *container, action string) {
	p := e.lab.Plan()
	for _, name := range c.networksInOrder() {
		if n, err := findNetwork(p, e.lab.Taken(), name); err == nil {
			e.tellNetwork(n, action, c.id)
		}
	}
}

// behind returns the events behind the first so many, how many there are in all, and what is closed when there are more.
func (l *events) behind(first int) (all []types.Event, count int, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more == nil {
		l.more = make(chan struct{})
	}
	return slices.Clone(l.kept[min(max(first-l.forgotten, 0), len(l.kept)):]), l.forgotten + len(l.kept), l.more
}

// follow gives events to take, in their order, from since on until until; zero stands for from now on, and for ever.
func (l *events) follow(ctx context.Context, now func() time.Time, since, until time.Time, take func(types.Event) error) error {
	_, told, _ := l.behind(0)
	if !since.IsZero() {
		told = 0
	}
	for {
		all, count, more := l.behind(told)
		for _, e := range all {
			switch at := time.Unix(0, e.TimeNano); {
			case at.Before(since):
				continue
			case !until.IsZero() && at.After(until):
				return nil
			}
			if err := take(e); err != nil {
				return err
			}
		}
		told = count
		var over <-chan time.Time
		if !until.IsZero() {
			left := until.Sub(now())
			if left <= 0 {
				return nil
			}
			over = time.After(left)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-over:
		case <-more:
		}
	}
}

// getEvents streams events, a line of JSON each.
func (e *Engine) getEvents(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, err := unixTime(q.Get("since"))
	var until time.Time
	if err == nil {
		until, err = unixTime(q.Get("until"))
	}
	var filters map[string]map[string]bool
	if text := q.Get("filters"); err == nil && text != "" {
		if json.Unmarshal([]byte(text), &filters) != nil {
			err = invalid("invalid filter %q", text)
		}
	}
	for key := range filters {
		if !slices.Contains([]string{"type", "event", "container", "network", "image", "label"}, key) {
			err = invalid("invalid filter '%s'", key)
		}
	}
	if err != nil {
		refuse(w, err)
		return
	}
	endless(w)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	out := flushed{w}
	_ = http.NewResponseController(w).Flush()
	encoder := json.NewEncoder(out)
	_ = e.happened.follow(r.Context(), e.now, since, until, func(event types.Event) error {
		if !chosen(&event, filters) {
			return nil
		}
		return encoder.Encode(event)
	})
}

// unixTime reads seconds since 1970, perhaps with a fraction; zero for none.
func unixTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	whole, fraction, _ := strings.Cut(text, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	nanos := int64(0)
	if err == nil && fraction != "" {
		nanos, err = strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	}
	if err != nil {
		return time.Time{}, invalid("%q: want a time in seconds since 1970", text)
	}
	return time.Unix(seconds, nanos), nil
}

// chosen reports whether filters let an event pass: one value of each key has to fit.
func chosen(e *types.Event, filters map[string]map[string]bool) bool {
	for key, values := range filters {
		fits := false
		for value := range values {
			fits = fits || fitsOne(e, key, value)
		}
		if !fits {
			return false
		}
	}
	return true
}

func fitsOne(e *types.Event, key, value string) bool {
	named := func(kind, id string) bool {
		if e.Type == kind {
			return e.Actor.Attributes["name"] == value || strings.HasPrefix(e.Actor.ID, value)
		}
		return id != "" && strings.HasPrefix(id, value)
	}
	switch key {
	case "type":
		return e.Type == value
	case "event":
		action, _, _ := strings.Cut(e.Action, ":")
		return action == value || e.Action == value
	case "container":
		return named("container", e.Actor.Attributes["container"])
	case "network":
		return named("network", "")
	case "image":
		return e.Type == "container" && e.Actor.Attributes["image"] == value
	}
	label, want, given := strings.Cut(value, "=")
	is, has := e.Actor.Attributes[label]
	return has && (!given || is == want)
}

package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/world"
	"uswitch/switch/trace"
)

// sharedRing is the one ring from which all who follow /v1/events read. It receives while there is anybody, and a while
// longer: somebody whose connection was cut finds what came meanwhile.
type sharedRing struct {
	tracer *trace.Tracer

	mu        sync.Mutex // guards what follows
	ring      *trace.Ring
	followers int
	attached  bool
	epoch     int         // how often it was attached: what came between two epochs nobody has seen
	leaving   *time.Timer // detaches it

	watch    func(last func() uint64, stop <-chan struct{}) // runs while it receives
	watching sync.WaitGroup
	stop     chan struct{} // ends watch
}

// lingering is how long it receives after the last follower has gone.
const lingering = time.Minute

// join makes the ring receive, and returns it with the name of its epoch.
func (s *sharedRing) join() (ring *trace.Ring, epoch int, leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring == nil {
		s.ring = trace.NewRing(api.QueueEvents, traceBytes, traceSnap)
	}
	if s.leaving != nil {
		s.leaving.Stop()
		s.leaving = nil
	}
	if !s.attached {
		s.attached = true
		s.epoch++
		s.tracer.Attach(s.ring)
		stop, ring := make(chan struct{}), s.ring
		s.stop = stop
		s.watching.Go(func() { s.watch(ring.Last, stop) })
	}
	s.followers++
	return s.ring, s.epoch, sync.OnceFunc(s.leave)
}

func (s *sharedRing) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.followers--; s.followers == 0 {
		s.leaving = time.AfterFunc(lingering, s.detach)
	}
}

// detach ends the epoch, if nobody has come meanwhile.
func (s *sharedRing) detach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.followers == 0 && s.attached {
		s.attached = false
		close(s.stop)
		s.tracer.Detach(s.ring)
	}
}

// close ends the epoch at once: the lab has ended.
func (s *sharedRing) close() {
	s.mu.Lock()
	if s.leaving != nil {
		s.leaving.Stop()
	}
	s.followers = 0
	s.mu.Unlock()
	s.detach()
	s.watching.Wait()
}

// KeepEvents makes the ring of /v1/events receive from now on, whether anybody follows or not.
func (s *Server) KeepEvents() { s.shared.join() }

// How the ring is read: so often, and at most so many steps each time, so that a flood leaves the processor to the lab.
const (
	readEvery  = 30 * time.Millisecond
	readAtOnce = 2000
	stillHere  = 15 * time.Second // between two signs of life
)

// events tells of journeys until the client follows no more.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	q, err := parseTrace(r.URL.Query())
	if err != nil {
		fail(w, r, err)
		return
	}
	filter, err := q.Filter.Compile(world.Addresses(s.world.Plan()))
	if err != nil {
		fail(w, r, err)
		return
	}
	after := cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after"))
	done, err := s.listener()
	if err != nil {
		fail(w, r, err)
		return
	}
	defer done()
	ring, epoch, leave := s.shared.join()
	defer leave()
	f := &follower{ring: ring, epoch: fmt.Sprintf("%d-%d", s.world.Epoch().UnixMilli(), epoch), filter: filter, in: reader(r), names: s.world.Names(), now: s.world.Now}
	f.chooses = len(q.Filter.Hosts)+len(q.Filter.From) > 0 || q.Filter.Port != "" || q.Filter.Proto != ""
	w.Header().Set("Cache-Control", "no-store")
	f.out = beginStream(w, "text/event-stream")
	f.journeys = trace.NewJourneys(f, trace.TextOptions{NoFold: q.NoFold, Names: f.names, In: f.in})
	if f.begin(after) == nil {
		_ = f.follow(r.Context())
	}
}

// follower is somebody who reads the ring, and is told what is in it.
type follower struct {
	ring     *trace.Ring
	epoch    string
	filter   *trace.Filter
	chooses  bool // the filter lets some packets pass and others not
	in       trace.Language
	names    trace.Names
	now      func() time.Time
	out      io.Writer
	journeys *trace.Journeys

	next  uint64    // the place that is read next
	heard time.Time // when the last step came: by the lab's clock, and by this machine's
	since time.Time
	said  time.Time // when something was sent last
	event trace.Event
}

// begin says hello, and finds the place to go on from.
func (f *follower) begin(after string) error {
	newest := f.ring.Last()
	oldest, ok := f.ring.At(0, &f.event)
	if !ok {
		oldest = newest + 1
	}
	f.next, f.since, f.said = oldest, time.Now(), time.Now()
	if err := f.send(api.EventHello, api.EventsHello{Now: f.now(), Oldest: oldest, Newest: newest}); err != nil || after == "" {
		return err
	}
	epoch, place, _ := strings.Cut(after, ".")
	n, err := strconv.ParseUint(place, 10, 64)
	if err != nil || epoch != f.epoch || n > newest {
		return f.send(api.EventGap, api.Gap{Text: "nobody followed this lab for a while: what passed meanwhile was not recorded"})
	}
	f.next = n + 1
	if f.chooses { // the filter remembers steps that only a later one makes wanted: those are read again
		f.next -= min(n, filterMemory)
	}
	return nil
}

// filterMemory is how many steps a filter may keep before it knows whether they are wanted.
const filterMemory = 256

// follow reads until ctx ends.
func (f *follower) follow(ctx context.Context) error {
	ticker := time.NewTicker(readEvery)
	defer ticker.Stop()
	for {
		if err := f.read(); err != nil {
			return err
		}
		// Where the lab's time stands still what has come to rest is told all the same.
		now := f.now()
		if rested := f.heard.Add(time.Since(f.since)); rested.After(now) {
			now = rested
		}
		if err := f.journeys.Idle(now); err != nil {
			return err
		}
		if time.Since(f.said) > stillHere {
			f.said = time.Now()
			if _, err := io.WriteString(f.out, ":\n\n"); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return f.journeys.Flush()
		case <-ticker.C:
		}
	}
}

// read takes up what has come.
func (f *follower) read() error {
	for range readAtOnce {
		place, ok := f.ring.At(f.next, &f.event)
		if !ok {
			return nil
		}
		if place > f.next {
			gap := api.Gap{From: f.next, To: place - 1, Count: place - f.next}
			gap.Text = fmt.Sprintf("%d steps lost: the page is slower than the network", gap.Count)
			if err := f.send(api.EventGap, gap); err != nil {
				return err
			}
		}
		f.next = place + 1
		f.journeys.Mark(place)
		f.heard, f.since = f.event.Time, time.Now()
		if err := f.filter.Pass(&f.event, f.journeys.Event); err != nil {
			return err
		}
	}
	return nil
}

// Journey implements trace.Teller.
func (f *follower) Journey(s *trace.Stretch) error {
	h := &s.Head
	j := api.Journey{Packet: s.Packet, GoesOn: s.GoesOn, From: h.From, To: h.To, Proto: h.Proto, What: h.What, Length: h.Length, IP: h.IP}
	for i := range s.Steps {
		j.Steps = append(j.Steps, *stepOf(&s.Steps[i], f.in, f.names))
	}
	return f.send(api.EventJourney, j)
}

// Note implements trace.Teller.
func (f *follower) Note(line string) error { return f.send(api.EventNote, api.Note{Text: line}) }

// send sends an event with the id of the last place up to which everything was told.
func (f *follower) send(name string, data any) error {
	told := f.next - 1
	if first := f.journeys.Unreported(); first > 0 {
		told = first - 1
	}
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	f.said = time.Now()
	_, err = fmt.Fprintf(f.out, "event: %s\nid: %s.%d\ndata: %s\n\n", name, f.epoch, told, text)
	return err
}

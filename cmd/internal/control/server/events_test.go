package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
)

// told is an event as a page reads it.
type told struct {
	name, id, data string
}

// feed reads server-sent events.
type feed struct {
	t      *testing.T
	body   io.ReadCloser
	lines  *bufio.Scanner
	lastID string
}

func (s *running) feed(t *testing.T, query url.Values) *feed {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	body, err := s.Stream(ctx, "GET", api.EventsPath, query, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); body.Close() })
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	return &feed{t: t, body: body, lines: lines}
}

func (f *feed) next() (e told) {
	f.t.Helper()
	for f.lines.Scan() {
		key, value, _ := strings.Cut(f.lines.Text(), ": ")
		switch key {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				f.lastID = e.id
				return e
			}
		}
	}
	f.t.Fatalf("the events have ended: %v", f.lines.Err())
	return e
}

// journeys reads until so many journeys have come, and returns their packets in order; other events go to also.
func (f *feed) journeys(n int, also func(told)) (packets []api.Journey) {
	f.t.Helper()
	for len(packets) < n {
		e := f.next()
		if e.name != api.EventJourney {
			also(e)
			continue
		}
		var j api.Journey
		if err := json.Unmarshal([]byte(e.data), &j); err != nil {
			f.t.Fatal(err)
		}
		packets = append(packets, j)
	}
	return packets
}

// TestEventsGoOnWithoutAHole: whoever was cut off hears of everything that came meanwhile, and two who follow hear the same.
func TestEventsGoOnWithoutAHole(t *testing.T) {
	s := start(t)
	s.Start()
	nothing := func(e told) {
		if e.name != api.EventHello {
			t.Errorf("%s: %s", e.name, e.data)
		}
	}
	query := url.Values{"no-fold": {"1"}}
	first, second := s.feed(t, query), s.feed(t, query)
	first.next()
	second.next()
	seen := map[uint64]bool{}
	for range 3 {
		s.ask()
	}
	for _, j := range first.journeys(3, nothing) {
		seen[j.Packet] = true
		if j.Proto != "ARP" || j.From != "RED" || len(j.Steps) < 2 || j.Steps[0].Place != "br0" || j.Steps[0].Port != "RED" {
			t.Errorf("journey %+v", j)
		}
	}
	second.journeys(3, nothing)
	first.body.Close()
	for range 5 {
		s.ask()
	}
	second.journeys(5, nothing)
	query.Set("after", first.lastID)
	for _, j := range s.feed(t, query).journeys(5, nothing) {
		seen[j.Packet] = true
	}
	for packet := uint64(1); packet <= 8; packet++ {
		if !seen[packet] {
			t.Errorf("packet %d was not told of", packet)
		}
	}
}

// TestEventsSayWhatIsGone: what was forgotten, or never recorded, is an event.
func TestEventsSayWhatIsGone(t *testing.T) {
	s := start(t)
	s.Start()
	before := s.feed(t, nil)
	before.next()
	for range api.QueueEvents {
		s.ask()
	}
	var gap api.Gap
	old := s.feed(t, url.Values{"after": {strings.TrimRight(before.lastID, "0123456789") + "0"}})
	hello := old.next()
	var h api.EventsHello
	if err := json.Unmarshal([]byte(hello.data), &h); err != nil || h.Oldest < 2 {
		t.Fatalf("%s (%v)", hello.data, err)
	}
	if e := old.next(); e.name != api.EventGap || json.Unmarshal([]byte(e.data), &gap) != nil || gap.From != 1 || gap.Count == 0 || gap.To != gap.Count ||
		!strings.Contains(gap.Text, strconv.FormatUint(gap.Count, 10)) {
		t.Errorf("%s: %s", e.name, e.data)
	}
	other := s.feed(t, url.Values{"after": {"7-1.3"}})
	other.next()
	if e := other.next(); e.name != api.EventGap || !strings.Contains(e.data, "not recorded") {
		t.Errorf("%s: %s", e.name, e.data)
	}
}

// TestEventsFold: a burst is told as the text trace tells it, its first packets and then how many more.
func TestEventsFold(t *testing.T) {
	s := start(t)
	s.Start()
	f := s.feed(t, nil)
	f.next()
	for range 10 {
		s.ask()
	}
	var notes []string
	for len(notes) == 0 {
		switch e := f.next(); e.name {
		case api.EventNote:
			notes = append(notes, e.data)
		case api.EventJourney:
		default:
			t.Fatalf("%s: %s", e.name, e.data)
		}
	}
	if !strings.Contains(notes[0], "more ARP between RED and everyone") {
		t.Error(notes)
	}
}

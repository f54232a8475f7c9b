package server

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

// drops lists what was dropped, ?examples=1 with the last packet of each reason, or follows what is: ?follow=1.
func (s *Server) drops(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Has("follow") {
		s.followDrops(w, r)
		return
	}
	writeWithin(w, writeTime)
	in := reader(r)
	rows := s.countedDrops(in)
	if q.Has("examples") {
		s.addExamples(rows, in)
	}
	send(w, rows)
}

// reader returns the language of whoever asks.
func reader(r *http.Request) trace.Language { return words.Accepted(r.Header.Get("Accept-Language")) }

// countedDrops lists the reasons for which packets were dropped.
func (s *Server) countedDrops(in trace.Language) []api.Drop {
	rows := []api.Drop{}
	for _, reason := range trace.Reasons() {
		n := s.world.Tracer().Drops(reason)
		switch reason {
		case trace.NICQueue:
			n += s.world.DroppedAtNICs()
		case trace.SocketQueue:
			n += s.world.DroppedAtSockets()
		}
		if n > 0 {
			rows = append(rows, api.Drop{Reason: reason.String(), Count: n, Sentence: in(reason.Sentence())})
		}
	}
	return rows
}

// addExamples adds the last packet of each reason.
func (s *Server) addExamples(rows []api.Drop, in trace.Language) {
	names := s.world.Names()
	for _, reason := range trace.Reasons() {
		i := slices.IndexFunc(rows, func(d api.Drop) bool { return d.Reason == reason.String() })
		if e, ok := s.world.Tracer().Example(reason); ok && i >= 0 {
			rows[i].Last = dropped(&e, names, in)
		}
	}
}

func dropped(e *trace.Event, names trace.Names, in trace.Language) *api.Dropped {
	where, what := e.Step()
	h := e.Head(in, names)
	return &api.Dropped{Time: e.Time, Packet: e.Packet, At: where + " " + what, Where: e.Where, Hook: e.Hook.String(), Port: e.Port,
		Rule: e.Rule, Summary: h.Summary(), Length: h.Length, Details: e.Details(in)}
}

func (s *Server) followDrops(w http.ResponseWriter, r *http.Request) {
	filter, err := trace.FilterSpec{Drops: true}.Compile(nil)
	if err != nil {
		fail(w, r, err)
		return
	}
	ring := trace.NewRing(api.QueueEvents, traceBytes, traceSnap)
	s.follow(w, r, ndjson, ring, filter, func(out io.Writer) (trace.Sink, error) {
		return &dropSink{out: json.NewEncoder(out), names: s.world.Names(), in: reader(r)}, nil
	})
}

// dropSink writes drops, each kind at most twice a second, however many there are.
type dropSink struct {
	out   *json.Encoder
	names trace.Names
	in    trace.Language
	kinds []*kindOfDrop // in the order of their lines
}

// kindOfDrop is what drops that are alike have in common.
type kindOfDrop struct {
	reason          trace.Reason
	at              string
	from, to, proto string

	told time.Time
	more uint64
	last *api.Dropped
}

// Bounds of folding: how long a kind is alike, and how many kinds are known at once.
const (
	alikeFor = time.Second
	maxKinds = 256
)

// Event implements trace.Sink.
func (s *dropSink) Event(e *trace.Event) error {
	d, h := dropped(e, s.names, s.in), e.Head(s.in, s.names)
	for _, k := range s.kinds {
		if k.reason == e.Reason && k.at == d.At && k.from == h.From && k.to == h.To && k.proto == h.Proto {
			k.more++
			k.last = d
			return nil
		}
	}
	if len(s.kinds) == maxKinds {
		if err := s.tell(s.kinds[0]); err != nil {
			return err
		}
		s.kinds = s.kinds[1:]
	}
	s.kinds = append(s.kinds, &kindOfDrop{reason: e.Reason, at: d.At, from: h.From, to: h.To, proto: h.Proto, told: e.Time})
	return s.out.Encode(api.DropEvent{Reason: e.Reason.String(), Sentence: s.in(e.Reason.Sentence()), Count: 1, Last: d})
}

// tell says how many more there were.
func (s *dropSink) tell(k *kindOfDrop) error {
	if k.more == 0 {
		return nil
	}
	line := api.DropEvent{Reason: k.reason.String(), Sentence: s.in(k.reason.Sentence()), Count: k.more, More: true, Last: k.last}
	k.more = 0
	return s.out.Encode(line)
}

// Idle implements trace.Sink: kinds that have gone on for a while are told of, those that have ended are forgotten.
func (s *dropSink) Idle(now time.Time) error {
	var failed error
	s.kinds = slices.DeleteFunc(s.kinds, func(k *kindOfDrop) bool {
		if failed != nil || now.Sub(k.told) < alikeFor {
			return false
		}
		k.told = now
		over := k.more == 0
		failed = s.tell(k)
		return over
	})
	return failed
}

// Lost implements trace.Sink.
func (s *dropSink) Lost(n uint64) error { return s.out.Encode(api.DropEvent{Lost: n}) }

// Flush implements trace.Sink.
func (s *dropSink) Flush() error {
	for _, k := range s.kinds {
		if err := s.tell(k); err != nil {
			return err
		}
	}
	return nil
}

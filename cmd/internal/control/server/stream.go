package server

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// The bytes of its frames: a trace reads the beginning of each, a capture all of it.
const (
	traceBytes   = 2 << 20
	traceSnap    = 256
	captureBytes = 8 << 20
)

func parseTrace(q url.Values) (t api.TraceQuery, err error) {
	t = api.TraceQuery{Format: q.Get("format"), Colour: q.Has("colour"), NoFold: q.Has("no-fold"), Filter: trace.FilterSpec{
		Hosts: q["host"], From: q["from"], Port: q.Get("port"), Proto: q.Get("proto"), Hooks: q["hook"], Drops: q.Has("drops")}}
	if t.Format == "" {
		t.Format = "text"
	}
	for key, value := range map[string]*int{"width": &t.Width, "snap": &t.Snap} {
		if text := q.Get(key); text != "" {
			if *value, err = strconv.Atoi(text); err != nil || *value < 0 || *value > 1<<16 {
				return t, words.Errorf("%s %q: want a number from 0 to %d", key, text, 1<<16)
			}
		}
	}
	return t, nil
}

// trace streams events to one listener, through a queue of its own.
func (s *Server) trace(w http.ResponseWriter, r *http.Request) {
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
	kinds := map[string]string{"text": "text/plain; charset=utf-8", "json": ndjson, "pcapng": "application/octet-stream"}
	if kinds[q.Format] == "" {
		fail(w, r, words.Errorf("format %q: want text, json or pcapng", q.Format))
		return
	}
	ring := trace.NewRing(api.QueueEvents, traceBytes, traceSnap)
	if q.Format == "pcapng" {
		ring = trace.NewRing(api.QueueEvents, captureBytes, q.Snap)
	}
	s.follow(w, r, kinds[q.Format], ring, filter, func(out io.Writer) (trace.Sink, error) { return s.sink(out, q, reader(r)) })
}

// follow streams what a ring receives, as a sink writes it, until the client listens no more.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, contentType string, ring *trace.Ring, filter *trace.Filter, make func(io.Writer) (trace.Sink, error)) {
	ctx, detach := s.attach(r.Context(), ring) // before the answer begins: who has that misses nothing from there on
	defer detach()
	out, done, err := s.stream(w, contentType)
	if err != nil {
		fail(w, r, err)
		return
	}
	defer done()
	sink, err := make(out)
	if err != nil {
		return // the client is gone before the first byte
	}
	_ = ring.Drain(ctx, filter, sink, s.world.Now)
}

// ndjson is the type of an answer that is a stream of JSON objects, each a line.
const ndjson = "application/x-ndjson"

// attach makes a ring receive every event until the client listens no more, or the lab ends: ctx ends when it gets no more,
// and what it has can be handed on.
func (s *Server) attach(client context.Context, ring *trace.Ring) (ctx context.Context, detach func()) {
	tracer := s.world.Tracer()
	tracer.Attach(ring)
	ctx, end := context.WithCancel(context.WithoutCancel(client))
	ended := context.AfterFunc(client, func() {
		tracer.Detach(ring)
		end()
	})
	return ctx, func() {
		ended()
		tracer.Detach(ring)
		end()
	}
}

func (s *Server) sink(out io.Writer, q api.TraceQuery, in trace.Language) (trace.Sink, error) {
	switch q.Format {
	case "json":
		return trace.NewJSON(out, in), nil
	case "pcapng":
		return pcap.New(out, pcap.Options{Comment: "lab " + s.world.Plan().Name, In: in, SnapLength: uint32(q.Snap)})
	}
	return trace.NewPrinter(out, trace.TextOptions{Width: q.Width, Colour: q.Colour, NoFold: q.NoFold,
		Names: s.world.Names(), In: in}), nil
}

// stream begins an answer without end: it goes out as it is written, and may wait for a slow client as long as that
// likes. done must be called when it is over.
func (s *Server) stream(w http.ResponseWriter, contentType string) (out *flushed, done func(), err error) {
	done, err = s.listener()
	if err != nil {
		return nil, nil, err
	}
	return beginStream(w, contentType), done, nil
}

// listener takes a place among those who listen; done gives it back.
func (s *Server) listener() (done func(), err error) {
	select {
	case s.streams <- struct{}{}:
		return func() { <-s.streams }, nil
	default:
		return nil, refuse(http.StatusServiceUnavailable, words.Errorf("%d listeners are listening already", maxStreams))
	}
}

// beginStream sends the head of an answer without end.
func beginStream(w http.ResponseWriter, contentType string) *flushed {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(http.StatusOK)
	_ = c.Flush()
	return &flushed{w, c}
}

// flushed sends every write at once.
type flushed struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func (f *flushed) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	if err == nil {
		err = f.c.Flush()
	}
	return n, err
}

package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world"
	"uswitch/sim"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// Sizes of the queues between the lab and this session's own listeners: a screen needs the beginning of each frame, a
// capture all of it.
const (
	queueEvents  = 8192
	screenBytes  = 4 << 20
	screenSnap   = 256
	captureBytes = 32 << 20
)

// listeners are the trace on the screen and the capture.
type listeners struct {
	tracer *trace.Tracer
	now    func() time.Time
	loop   *sim.Loop // of virtual time, on which what has happened is written at once; nil: it is written beside it
	rings  []*trace.Ring
	stop   context.CancelFunc
	active sync.WaitGroup
	ends   []func() error

	follows []func() // end what is written on the loop
}

// listen attaches what the person has asked for, before the lab's first packet.
func (s *session) listen(w *world.World) (*listeners, error) {
	ctx, stop := context.WithCancel(context.Background())
	l := &listeners{tracer: w.Tracer(), now: w.Now, stop: stop}
	if loop := w.Loop(); loop != nil && loop.Virtual() {
		l.loop = loop
	}
	if s.Pcap != "" {
		if err := s.capture(ctx, l); err != nil {
			stop()
			return nil, err
		}
	}
	switch s.Trace {
	case "text":
		width, colour := view.Terminal(s.Stdout)
		if l.loop == nil {
			s.screen.order(true)
		}
		l.ends = append(l.ends, func() error { s.screen.order(false); return nil })
		l.start(ctx, trace.NewRing(queueEvents, screenBytes, screenSnap), trace.NewPrinter(s.screen,
			trace.TextOptions{Width: width, Colour: colour, Names: w.Names(), In: words.In, Turn: s.screen.turn}), s.traceFailed)
	case "json":
		l.start(ctx, trace.NewRing(queueEvents, screenBytes, screenSnap), trace.NewJSON(s.screen, words.In), s.traceFailed)
	}
	return l, nil
}

// capture begins the capture file.
func (s *session) capture(ctx context.Context, l *listeners) error {
	file, err := pcap.Create(s.Pcap, s.Force)
	if err != nil {
		return err
	}
	l.ends = append(l.ends, file.Close)
	sink, err := pcap.New(file, pcap.Options{Comment: s.comment(), In: words.In, SnapLength: uint32(s.Snap)})
	if err != nil {
		file.Close()
		return err
	}
	counted := &countedSink{Sink: sink}
	l.ends = append(l.ends, func() error {
		if counted.lost > 0 {
			s.screen.report(fmt.Sprintf("%s holds %d steps of packets; %s", s.Pcap, counted.events, missing(counted.lost, false)))
		}
		return nil
	})
	l.start(ctx, trace.NewRing(queueEvents, captureBytes, s.Snap), counted, func(err error) {
		s.screen.report("capture: " + err.Error() + "; the lab goes on")
	})
	return nil
}

// comment says what a capture is of.
func (s *session) comment() string {
	if _, alone := s.virtual(); alone {
		return "lab " + s.Plan.Name + ", simulated"
	}
	return "lab " + s.Plan.Name
}

// countedSink counts what a sink gets, and what it does not get.
type countedSink struct {
	trace.Sink
	events, lost uint64
}

func (c *countedSink) Event(e *trace.Event) error {
	c.events++
	return c.Sink.Event(e)
}

func (c *countedSink) Lost(n uint64) error {
	c.lost += n
	return c.Sink.Lost(n)
}

func (s *session) traceFailed(err error) {
	s.screen.order(false)
	if !errors.Is(err, syscall.EPIPE) {
		s.screen.report("trace: " + err.Error() + "; the lab goes on")
	}
}

// start drains a ring into a sink until the listeners are closed; a sink that fails is told of once.
func (l *listeners) start(ctx context.Context, ring *trace.Ring, sink trace.Sink, failed func(error)) {
	l.tracer.Attach(ring)
	l.rings = append(l.rings, ring)
	if l.loop != nil {
		l.follows = append(l.follows, follow(l.loop, ring, sink, failed))
		return
	}
	l.active.Go(func() {
		defer l.tracer.Detach(ring)
		if err := ring.Drain(ctx, nil, sink, l.now); err != nil {
			failed(err)
		}
	})
}

// close hands on what the queues still hold, and ends.
func (l *listeners) close() {
	for _, ring := range l.rings {
		l.tracer.Detach(ring)
	}
	l.stop()
	for _, end := range l.follows {
		end()
	}
	l.active.Wait()
	for _, end := range l.ends {
		_ = end()
	}
}

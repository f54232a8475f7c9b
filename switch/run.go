package vswitch

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Run reads the link and carries each frame through the switch until the link ends or the code panics: on a frame that
// came in here, or in the link when a frame was to go out. It then unplugs the port, so that the fault stays its own. It
// returns what ended it, nil when the port was detached.
func (p *Port) Run() (err error) {
	defer func() {
		detached := p.gone.Load()
		closing := p.sw.Detach(p)
		switch fault := p.fault.Load(); {
		case fault != nil:
			err = *fault
		case detached:
			err = nil
		default:
			err = errors.Join(err, closing)
		}
	}()
	defer p.contain()
	clock, turn := newClock(p.link), newTurn(p.link)
	for {
		f, err := p.link.Read()
		if err != nil {
			return err
		}
		size := len(f.Data)
		p.sw.Input(p, f, clock.now(p.sw.tracer.Listening()))
		turn.took(size, clock.waited())
	}
}

// Carry carries a frame through the switch, as Run does with one that it has read: for a link that brings its frames itself, and
// whose Read only waits for its end.
func (p *Port) Carry(f frame.Frame, now time.Time) {
	defer p.contain()
	p.sw.Input(p, f, now)
}

// contain, deferred, unplugs the port if the code that carries one of its frames panics.
func (p *Port) contain() {
	if fault := recover(); fault != nil {
		p.sw.tracer.Count(trace.PortFault)
		p.fail(fault)
	}
}

// ErrFault is what Run returns, wrapped, when a panic has ended it.
var ErrFault = errors.New("failed on a frame")

// write hands a frame to the link. The panic of a link unplugs its own port, not the one that the frame came from.
func (p *Port) write(f frame.Frame) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			p.fail(fault)
			err = ErrFault
		}
	}()
	return p.link.Write(f)
}

// fail unplugs a port because of a panic. Run returns the first one.
func (p *Port) fail(fault any) {
	err := fmt.Errorf("port %s %w: %v\n%s", p.name, ErrFault, fault, debug.Stack())
	p.fault.CompareAndSwap(nil, &err)
	p.sw.Detach(p)
}

// hold gives a frame that arrived at p to whoever steps through such frames, if anybody wants it. A fault in it is the
// port's, as in Run.
func (s *Switch) hold(p *Port, f frame.Frame, j *trace.Journey) bool {
	e := trace.Event{Hook: trace.Ingress, Where: s.name, Port: p.name, Frame: f}
	return j.Hold(e, f, func(f frame.Frame, j *trace.Journey, now time.Time) {
		defer p.contain()
		s.input(p, f, j, now)
	})
}

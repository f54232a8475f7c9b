package vswitch

import (
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// hold gives a frame that arrived at p to whoever steps through such frames, if anybody wants it. A fault in it is the
// port's, as in Run.
func (s *Switch) hold(p *Port, f frame.Frame, j *trace.Journey) bool {
	e := trace.Event{Hook: trace.Ingress, Where: s.name, Port: p.name, Frame: f}
	return j.Hold(e, f, func(f frame.Frame, j *trace.Journey, now time.Time) {
		defer p.contain()
		s.input(p, f, j, now)
	})
}

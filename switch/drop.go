package vswitch

import (
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// dropFrom counts a frame that goes no further because of what it is or where it wants to go, against the port it came
// from (nil: the local port), and tells whoever listens.
func (s *Switch) dropFrom(p *Port, h trace.Hook, r trace.Reason, f frame.Frame, j *trace.Journey) {
	if p != nil {
		p.rx.drops.Add(1)
	}
	s.drop(p, h, r, 0, f, j)
}

// dropLooped counts a frame whose sender goes round in a loop, and is believed to be elsewhere.
func (s *Switch) dropLooped(p *Port, found finding, f frame.Frame, j *trace.Journey) {
	p.rx.drops.Add(1)
	if j := s.tracer.Drop(trace.Loop, j); j.On() {
		j.Emit(trace.Event{Hook: trace.Learn, Verdict: trace.Drop, Reason: trace.Loop, Note: trace.Looped, Where: s.name,
			Port: p.name, From: found.from, Ports: found.loop.names, MAC: frame.Ethernet(f.Data).Src(), Frame: f})
	}
}

// dropTo counts a copy that the port it was meant for did not take, against that port.
func (s *Switch) dropTo(p *Port, r trace.Reason, f frame.Frame, j *trace.Journey) {
	p.tx.drops.Add(1)
	fits := 0
	if r == trace.PktTooBig {
		fits = p.knobs.Load().MTU
	}
	s.drop(p, trace.Egress, r, fits, f, j)
}

// drop is where both end; fits is the size that would have passed, on a drop that is about size.
func (s *Switch) drop(p *Port, h trace.Hook, r trace.Reason, fits int, f frame.Frame, j *trace.Journey) {
	if j := s.tracer.Drop(r, j); j.On() {
		j.Emit(trace.Event{Hook: h, Verdict: trace.Drop, Reason: r, Count: uint32(fits), Where: s.name, Port: p.nameOrNone(), Frame: f})
	}
}

// nameOrNone is Name for a port that may be nil, the local one.
func (p *Port) nameOrNone() string { return p.nameOr("") }

// nameOr is Name for a port that may be nil, and then local.
func (p *Port) nameOr(local string) string {
	if p == nil {
		return local
	}
	return p.name
}

package vswitch

import (
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Input carries one frame that arrived at p from ingress to the last egress. It borrows the frame until it returns.
func (s *Switch) Input(p *Port, f frame.Frame, now time.Time) {
	j := s.tracer.Begin(now)
	defer j.End()
	j.CameBy(p.name)
	if p.tunnel != nil && j.On() {
		p.tunnel.Decap(j)
		now = j.Now()
	}
	if j.Steps() && s.hold(p, f, j) {
		return
	}
	s.input(p, f, j, now)
}

// input is Input on the journey j.
func (s *Switch) input(p *Port, f frame.Frame, j *trace.Journey, now time.Time) {
	p.rx.count(f)
	f.Source = uint64(p.id)

	// ingress: is anybody plugged in there, is it a frame at all, and can its sender be believed?
	if p.gone.Load() {
		s.dropFrom(p, trace.Ingress, trace.PortGone, f, j)
		return
	}
	if p.flags.Load().Down {
		s.dropFrom(p, trace.Ingress, trace.PortDisabled, f, j)
		return
	}
	e, ok := frame.ParseEthernet(f.Data)
	if !ok {
		s.dropFrom(p, trace.Ingress, trace.PktTooSmall, f, j)
		return
	}
	if !f.Offload.Valid(len(f.Data)) {
		s.dropFrom(p, trace.Ingress, trace.BadOffload, f, j)
		return
	}
	src, dst := e.Src(), e.Dst()
	if !src.IsStation() {
		s.dropFrom(p, trace.Ingress, trace.GroupSource, f, j)
		return
	}
	if j.On() {
		e := trace.Event{Hook: trace.Ingress, Verdict: trace.Accept, Where: s.name, Port: p.name, Frame: f}
		e.Note, e.Count = together(f)
		j.Emit(e)
		now = j.Now()
	}

	// learn: the source lives behind this port (802.1D 7.8).
	switch found := s.fdb.learn(src, p, s.age(now)); found.outcome {
	case spoofed:
		s.dropFrom(p, trace.Learn, trace.MACSpoof, f, j)
		return
	case looped:
		s.dropLooped(p, found, f, j)
		return
	case learned, moved, full:
		if j.On() {
			j.Emit(trace.Event{Hook: trace.Learn, Verdict: trace.Accept, Note: found.note(), Where: s.name,
				Port: p.name, From: found.from, Count: found.suppressed, MAC: src, Frame: f})
			now = j.Now()
		}
	}

	// guard: is what it says of addresses, of routers and of servers for a host to say?
	if r := s.inspect(p, e, f, j, now); r != trace.NoReason {
		s.dropFrom(p, trace.Bridge, r, f, j)
		return
	}

	// bridge: addressed to the switch itself, to a group, or to one station (802.1D 7.7). Of the sixteen reserved groups pass
	// those that the mask names, and the first, so that other bridges find a loop, as where Linux has no spanning tree.
	if dst.IsReserved() && !s.forwardsGroup(dst) {
		s.dropFrom(p, trace.Bridge, trace.ReservedGroup, f, j)
		return
	}
	s.bridge(p, e, f, j, now)
}

// Output carries a frame that the local station sends; j is its journey so far. It borrows the frame until it returns.
func (s *Switch) Output(f frame.Frame, j *trace.Journey, now time.Time) {
	f.Source = 0 // of another network, if of any
	e, ok := frame.ParseEthernet(f.Data)
	if !ok {
		s.dropFrom(nil, trace.Output, trace.PktTooSmall, f, j)
		return
	}
	_ = s.inspect(nil, e, f, j, now) // the gateway may say it all
	s.bridge(nil, e, f, j, now)
}

// bridge decides who gets the frame and sends it: the second half of Input, and all of Output. p is where the frame came
// from, nil for the local station.
func (s *Switch) bridge(p *Port, e frame.Ethernet, f frame.Frame, j *trace.Journey, now time.Time) {
	switch dst := e.Dst(); {
	case dst.IsBroadcast():
		s.flood(p, broadcast, trace.BroadcastFrame, f, j, now)
	case dst.IsGroup():
		s.flood(p, multicast, trace.MulticastFrame, f, j, now)
	default:
		entry, known := s.fdb.lookup(dst, s.age(now))
		switch {
		case !known && s.fdb.Ageing() < 0:
			s.flood(p, unknownUnicast, trace.NothingLearned, f, j, now)
		case !known:
			s.flood(p, unknownUnicast, trace.UnknownUnicast, f, j, now)
		case entry.port == nil:
			s.toLocal(p, dst, f, j, now)
		default:
			s.unicast(p, entry, f, j, now)
		}
	}
}

// unicast sends a frame to the one port behind which its receiver lives.
func (s *Switch) unicast(from *Port, to location, f frame.Frame, j *trace.Journey, now time.Time) {
	switch {
	case from == to.port:
		s.dropFrom(from, trace.Bridge, trace.SamePort, f, j)
		return
	case from != nil && from.loops(to.port, s.age(now)):
		s.dropFrom(from, trace.Bridge, trace.Loop, f, j)
		return
	case from != nil && from.flags.Load().Isolated && to.port.flags.Load().Isolated:
		s.dropFrom(from, trace.Bridge, trace.Isolated, f, j)
		return
	case !s.bridged(from, f, j, now):
		return
	}
	if j.On() {
		note := trace.Known
		if to.static {
			note = trace.Static
		}
		j.Emit(trace.Event{Hook: trace.Bridge, Verdict: trace.Unicast, Note: note, Where: s.name, Port: to.port.name,
			MAC: frame.Ethernet(f.Data).Dst(), Age: to.age, Frame: f})
	}
	to.port.send(f, j, now)
}

// flood sends a frame to everyone who takes its class, but never back to where it came from (802.1D 7.7.1), and to the
// local station last, because its answer is a journey of its own.
func (s *Switch) flood(from *Port, c class, why trace.Note, f frame.Frame, j *trace.Journey, now time.Time) {
	ports, local := s.ports.Load(), s.local.Load()
	to := ports.flood(c, from)
	toLocal := from != nil && local != nil && c != unknownUnicast
	if from != nil {
		if limit := from.flags.Load().StormLimit; limit > 0 && !from.storm.take(limit, s.age(now)) {
			s.dropFrom(from, trace.Bridge, trace.Storm, f, j)
			return
		}
	}
	if to.others(from) > 0 && !s.bridged(from, f, j, now) {
		if !toLocal {
			return
		}
		to = &floodSet{} // the station has rules of its own
	}
	if to.others(from) == 0 && !toLocal {
		s.dropFrom(from, trace.Bridge, ports.nobody(c, from), f, j)
		return
	}
	if j.On() {
		j.Emit(trace.Event{Hook: trace.Bridge, Verdict: trace.Flood, Note: why, Where: s.name, Port: from.nameOrNone(),
			Ports: to.names, Local: toLocal, Count: uint32(ports.everyone.others(from) - to.others(from)), MAC: frame.Ethernet(f.Data).Dst(), Frame: f})
	}
	for _, p := range to.ports {
		switch {
		case p == from:
		case from != nil && from.loops(p, s.age(now)):
			s.dropTo(p, trace.Loop, f, j)
		default:
			p.send(f, j, now)
		}
	}
	if toLocal {
		if j.On() {
			now = j.Now()
		}
		local.station.Input(f, j, now)
	}
}

// toLocal hands a frame to the station on the local port.
func (s *Switch) toLocal(from *Port, dst frame.MAC, f frame.Frame, j *trace.Journey, now time.Time) {
	if from == nil {
		s.dropFrom(nil, trace.Bridge, trace.SamePort, f, j)
		return
	}
	if j.On() {
		j.Emit(trace.Event{Hook: trace.Bridge, Verdict: trace.Local, Note: trace.GatewayAddress, Where: s.name,
			Port: from.name, MAC: dst, Frame: f})
		now = j.Now()
	}
	s.local.Load().station.Input(f, j, now)
}

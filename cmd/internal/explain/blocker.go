package explain

import (
	"errors"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
	"uswitch/switch/trace"
)

// blocker is a Stop, and what it takes to look for a remedy.
type blocker struct {
	api.Stop
	reason trace.Reason   // NoReason: none of the switch's
	host   *sim.HostState // where it is a host's own doing
	nic    *sim.NICState
	addr   netip.Addr   // that was looked for
	loDown bool         // the host's lo is
	event  *trace.Event // where a step says so
	at     int          // how far the packets had come
}

// told is what others are told of it: nil of nothing.
func (b *blocker) told() *api.Stop {
	if b == nil {
		return nil
	}
	return &b.Stop
}

// blocker finds the first thing that keeps the question from being answered: nil if nothing does. It follows the packet: what
// the asker decides, a step that dropped the question, the host that it was for, a step that dropped the answer; and then
// what has to be concluded from the silence.
func (f *flow) blocker() *blocker {
	if f.ok() {
		return nil
	}
	if len(f.beyondTunnels()) > 0 { // silence says nothing
		if s := f.blockerOnWay(api.There); s != nil && s.Reason != trace.NeighFailed.String() {
			return s
		}
		return nil
	}
	for _, find := range []func() *blocker{
		func() *blocker { return f.blockerOnWay(api.There) },
		func() *blocker { return f.blockerOnWay(api.Back) },
		f.blockerAtTarget,
		func() *blocker { return f.blockerAtRouter(api.There) },
	} {
		if s := find(); s != nil {
			return s
		}
	}
	if f.servedByGateway() {
		return nil
	}
	asker := f.lab.host(f.target.From)
	if errors.Is(f.failed, sim.ErrTooLong) {
		return &blocker{reason: trace.FragNeeded, host: asker, nic: f.nicTo(asker), Stop: api.Stop{Way: api.There, Where: f.target.From, Type: "send",
			Reason: trace.FragNeeded.String(), Sentence: f.failed.Error()}}
	}
	if f.target.From == api.Machine && errors.Is(f.failed, sim.ErrNoRoute) {
		return &blocker{reason: trace.NoRoute, addr: f.target.addr, Stop: api.Stop{Way: api.There, Where: api.Machine, Type: "route", Reason: trace.NoRoute.String(),
			Sentence: f.in("the gateway has no route to %v", f.target.addr)}}
	}
	if !f.has(api.There) && asker != nil { // it never left: the next hop did not answer
		d, _ := f.routeFrom(asker, api.There)
		return f.unanswered(asker, nextHop(d, f.target.addr), api.There)
	}
	if f.failed != nil {
		return f.outside(trace.Unreachable, f.in("it hears: %s", f.failed.Error()))
	}
	return f.outside(trace.TimedOut, f.in("nobody answers there, or the answer does not come this way"))
}

// beyondTunnels are the machines to which the question went, or the ARP that it needs, and of which it is not known what they do: the
// lab's tunnels lead there.
func (f *flow) beyondTunnels() (machines []string) {
	for i := range f.steps {
		s := &f.steps[i]
		if s.Hook != trace.Encap || s.Verdict == trace.Drop || f.world.Plays(s.Outer.Dst) {
			continue
		}
		if a := s.Outer.Dst.Addr().String(); !slices.Contains(machines, a) {
			machines = append(machines, a)
		}
	}
	return machines
}

// servedByGateway reports whether a service of the gateway's own has taken the question, its name server above all. A copy of
// the lab has nobody behind that who would answer.
func (f *flow) servedByGateway() bool {
	return slices.ContainsFunc(f.steps, func(s step) bool { return s.way == api.There && s.Note == trace.Delivered })
}

func (f *flow) outside(r trace.Reason, sentence string) *blocker {
	return &blocker{reason: r, addr: f.target.addr, at: f.progress(len(f.steps)), Stop: api.Stop{Way: api.There, Where: "outside", Type: "answer",
		Reason: r.String(), Sentence: sentence}}
}

// nicTo is the interface by which a host's question would leave.
func (f *flow) nicTo(h *sim.HostState) *sim.NICState {
	if asker, ok := f.world.Host(f.target.From); ok && h != nil {
		return f.nicNamed(h, asker.Way(f.target.addr).NIC)
	}
	return nil
}

// blockerOnWay finds what ended a way's packet: a host, the switch or the gateway, whichever came first.
func (f *flow) blockerOnWay(w api.Way) *blocker {
	inside, at := f.blockerInside(w)
	outside := f.blockerAtStep(w)
	if inside == nil || outside != nil && f.indexOf(outside) < at {
		return outside
	}
	return inside
}

// indexOf is the step that a stop was found at.
func (f *flow) indexOf(s *blocker) int {
	for i := range f.steps {
		if &f.steps[i].Event == s.event {
			return i
		}
	}
	return len(f.steps)
}

// blockerInside finds the host that ended a way's packet, and how many steps of the switch and the gateway came before.
func (f *flow) blockerInside(w api.Way) (*blocker, int) {
	for i := range f.inner {
		s := &f.inner[i]
		wrong := ""
		if s.way == w && s.Packet != nil && !f.arrives(i) {
			wrong = f.wrongNeighbor(s)
		}
		ends := s.Drop != "" && s.Drop != sim.DropOtherMAC && s.Kind != sim.StepARP
		if s.way != w || !ends && wrong == "" || s.Packet != nil && w == api.Back && s.Kind == sim.StepDeliver {
			continue
		}
		if s.Drop == sim.DropMartian && s.Host == f.target.From && w == api.There {
			h := f.lab.host(s.Host)
			return f.hairpin(h, h), s.at
		}
		return f.blockerOfInner(s, wrong), s.at
	}
	return nil, 0
}

// arrives reports whether a packet that a host has sent at step i came to another host after that.
func (f *flow) arrives(i int) bool {
	return slices.ContainsFunc(f.inner[i+1:], func(s inner) bool {
		return s.way == f.inner[i].way && s.Kind == sim.StepArrive && s.Drop != sim.DropOtherMAC
	})
}

// blockerOfInner says what the end of a packet inside a host means.
func (f *flow) blockerOfInner(s *inner, wrong string) *blocker {
	h := f.lab.host(s.Host)
	stop := &blocker{host: h, addr: s.Addr, nic: f.nicNamed(h, s.NIC), Stop: api.Stop{Way: s.way, Where: s.Host, Type: string(s.Kind),
		Reason: s.Drop, Sentence: f.dropText(s)}}
	switch {
	case s.Drop == sim.DropMartian && s.Packet != nil:
		stop.addr = s.Packet.Src()
	case !stop.addr.IsValid() && s.Packet != nil:
		stop.addr = s.Packet.Dst()
	}
	if s.way == api.Back || s.Kind == sim.StepDeliver {
		stop.at = f.progress(len(f.steps))
	} else {
		stop.at = f.progress(s.at)
	}
	for _, r := range trace.Reasons() {
		if r.String() == s.Drop {
			stop.reason = r
		}
	}
	switch {
	case wrong != "":
		stop.Reason, stop.Sentence = wrongMAC, wrong
	case s.Kind == sim.StepUnseen:
		stop.Type = "firewall"
	case s.Kind == sim.StepNIC && s.NIC == "lo":
		stop.loDown = true
		stop.Sentence = f.in("lo of %s is down: it does not reach itself", s.Host)
	case s.Kind == sim.StepNIC && stop.reason == trace.PortDown:
		stop.Sentence = f.in("%s of %s is down", s.NIC, s.Host)
	case s.Kind == sim.StepNIC && stop.reason == trace.PortGone:
		stop.Sentence = f.in("the cable of %s's %s is out of the switch", s.Host, s.NIC)
	case s.Kind == sim.StepRoute && stop.reason == trace.NoRoute:
		stop.Sentence = f.in("%s has no route to %v: its kernel says `Network is unreachable`, and nothing leaves", s.Host, s.Addr)
		if stop.nic == nil && h != nil && len(h.NICs) > 0 {
			stop.nic = &h.NICs[0]
		}
	case s.Kind == sim.StepDeliver && stop.reason == trace.NoSocket:
		port, _ := f.deliveredPort()
		stop.Sentence = f.in("nobody in %s listens on %s port %d", s.Host, upper(f.target.Protocol), port)
		if at := heldAt(h, f.target.Protocol, port); at != "" {
			stop.Sentence += f.in(" at %v: its server listens on %s only", f.deliveredAt(), at)
		}
	}
	return stop
}

// wrongMAC is the reason of a packet that its sender addresses to somebody who is not the next hop.
const wrongMAC = "wrong-mac"

// blockerAtRouter is for a host that has a packet to send on and hears nothing of the next hop.
func (f *flow) blockerAtRouter(w api.Way) *blocker {
	for i := len(f.inner) - 1; i >= 0; i-- {
		s := &f.inner[i]
		if s.way != w || s.Packet == nil || s.Kind == sim.StepUnseen {
			continue
		}
		if s.Kind != sim.StepForward || s.Unknown != "" {
			return nil
		}
		return f.unanswered(f.lab.host(s.Host), nextHop(s.Decision, s.Packet.Dst()), w)
	}
	return nil
}

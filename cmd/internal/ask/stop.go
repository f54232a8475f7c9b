package ask

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// stop finds the first thing that keeps the question from being answered: nil if nothing does. It follows the packet: what
// the asker decides, a step that dropped the question, the host that it was for, a step that dropped the answer; and then
// what has to be concluded from the silence.
func (f *flow) stop() *Stop {
	if f.ok() {
		return nil
	}
	asker := f.lab.host(f.target.From)
	for _, find := range []func() *Stop{
		func() *Stop { return f.stopAtHost(asker, f.target.addr, There) },
		func() *Stop { return f.stopAtStep(There) },
		f.notListening,
		func() *Stop { return f.stopAtStep(Back) },
		f.stopAtTarget,
	} {
		if s := find(); s != nil {
			return s
		}
	}
	if errors.Is(f.failed, sim.ErrTooLong) {
		return &Stop{Way: There, Where: f.target.From, Type: "send", reason: trace.FragNeeded, Reason: trace.FragNeeded.String(),
			Sentence: f.failed.Error(), host: asker}
	}
	if !f.has(There) && asker != nil { // it never left: the next hop did not answer
		r, _ := routeOf(asker, f.target.addr)
		return f.unanswered(asker, nextHop(r, f.target.addr), There)
	}
	if f.failed != nil {
		return f.outside(trace.Unreachable, "it hears: "+f.failed.Error())
	}
	return f.outside(trace.TimedOut, "nobody answers there, or the answer does not come this way")
}

// nextHop is who has to take a packet on a route.
func nextHop(r wayOut, dst netip.Addr) netip.Addr {
	if r.via.IsValid() {
		return r.via
	}
	return dst
}

func (f *flow) outside(r trace.Reason, sentence string) *Stop {
	return &Stop{Way: There, Where: "outside", Type: "answer", reason: r, Reason: r.String(), Sentence: sentence, addr: f.target.addr,
		at: f.progress(len(f.steps))}
}

// stopAtHost finds what keeps a host from sending to an address at all.
func (f *flow) stopAtHost(h *sim.HostState, to netip.Addr, w Way) *Stop {
	if h == nil {
		return nil
	}
	s := &Stop{Way: w, Where: h.Name, host: h, addr: to}
	if w == Back {
		s.at = f.progress(len(f.steps))
	}
	r, ok := routeOf(h, to)
	if s.card = r.card; !ok && len(h.Cards) > 0 {
		s.card = &h.Cards[0]
	}
	switch {
	case !ok:
		s.Type, s.reason = "route", trace.NoRoute
		s.Sentence = fmt.Sprintf("%s has no route to %v: its kernel says `Network is unreachable`, and nothing leaves", h.Name, to)
	case r.card == nil:
		return nil
	case r.card.Down:
		s.Type, s.reason = "interface", trace.PortDown
		s.Sentence = fmt.Sprintf("%s of %s is down", r.card.Name, h.Name)
	case r.card.Port == "":
		s.Type, s.reason = "interface", trace.PortGone
		s.Sentence = fmt.Sprintf("the cable of %s's %s is out of the switch", h.Name, r.card.Name)
	default:
		return nil
	}
	s.Reason = s.reason.String()
	return s
}

// stopAtStep finds the step that ended the question's way or the answer's: the first one that dropped a packet for which
// it mattered. What is dropped later is what was said about that.
func (f *flow) stopAtStep(w Way) *Stop {
	for i := range f.steps {
		s := &f.steps[i]
		if s.way == w && !s.arp.IsValid() && s.Verdict == trace.Drop && f.matters(s) {
			return f.stopOf(s, i)
		}
	}
	return nil
}

// progress counts how far the packets had come before a step. ARP does not count: it may be asked again and again.
func (f *flow) progress(before int) (n int) {
	for i := range f.steps[:before] {
		if !f.steps[i].arp.IsValid() {
			n++
		}
	}
	return n
}

// notListening is for a question that has reached a host where nobody waits for it, be it the asker itself.
func (f *flow) notListening() *Stop {
	h, _ := f.delivered()
	if owner, _ := f.lab.owner(f.target.addr); h == nil && owner != nil && owner.Name == f.target.From {
		h = owner
	}
	port, hasPort := f.deliveredPort()
	if h == nil || !hasPort || listens(h, f.target.Protocol, port) {
		return nil
	}
	return &Stop{Way: There, Where: h.Name, Type: "deliver", reason: trace.NoSocket, Reason: trace.NoSocket.String(), host: h,
		Sentence: fmt.Sprintf("nobody in %s listens on %s port %d", h.Name, strings.ToUpper(f.target.Protocol), port), at: f.progress(len(f.steps))}
}

// stopOf says what a step's drop means.
func (f *flow) stopOf(s *step, i int) *Stop {
	if s.Reason == trace.NeighFailed {
		if stop := f.unanswered(nil, f.waitedFor(s), s.way); stop != nil {
			stop.at = f.progress(i)
			return stop
		}
	}
	where, what := s.Step()
	return &Stop{Way: s.way, Where: where, Type: what, Reason: s.Reason.String(), Sentence: s.Reason.Sentence(),
		Rule: ruleOf(f.world.Gateway().Rules(), &s.Event), reason: s.Reason, event: &s.Event, at: f.progress(i)}
}

// waitedFor is the neighbour that a packet of the gateway's waited for.
func (f *flow) waitedFor(s *step) netip.Addr {
	for i := range f.steps {
		if e := &f.steps[i].Event; e.Packet == s.Packet && e.Hook == trace.Neighbor && e.Verdict == trace.Queue {
			return e.Addr
		}
	}
	return s.Addr
}

// matters reports whether a drop is about the packet that counts: a copy of a flooded frame that somebody else does not
// take is no loss.
func (f *flow) matters(s *step) bool {
	if s.Hook != trace.Egress || s.Port == "" {
		return true
	}
	flooded := slices.ContainsFunc(f.steps, func(o step) bool { return o.Packet == s.Packet && o.Verdict == trace.Flood })
	var dst netip.Addr
	if s.arp.IsValid() {
		eth, _ := frame.ParseEthernet(s.Frame.Data)
		if a, ok := frame.ParseARP(eth.Payload()); ok {
			dst = a.TargetIP()
		}
	} else if ip, ok := packetOf(&s.Event); ok {
		dst = ip.Dst()
	}
	_, card := f.lab.owner(dst)
	return !flooded || card != nil && card.Port == s.Port
}

// stopAtTarget looks at the host that the question came to, when nothing that the switch saw explains the silence.
func (f *flow) stopAtTarget() *Stop {
	h, from := f.delivered()
	if h == nil {
		return nil
	}
	asker := f.lab.host(f.target.From)
	if owner, _ := f.lab.owner(from); owner == h || f.has(Back) && asker != nil && f.answeredFrom() != f.target.addr {
		return f.hairpin(h, asker)
	}
	if f.has(Back) {
		return nil
	}
	if s := f.stopAtHost(h, from, Back); s != nil {
		return s
	}
	r, _ := routeOf(h, from)
	return f.unanswered(h, nextHop(r, from), Back)
}

// hairpin is the reason of an answer that does not come back through the gateway, which alone could undo its translation.
const hairpin = "hairpin"

// hairpin is for a question that was led back to the asker's own network, or to the asker itself.
func (f *flow) hairpin(h, asker *sim.HostState) *Stop {
	s := &Stop{Way: Back, Where: f.target.From, Type: "deliver", Reason: hairpin, host: h, at: f.progress(len(f.steps))}
	if h == asker {
		s.Way = There
		s.Sentence = fmt.Sprintf("the question comes back to %s with its own address as the source, which no kernel believes", h.Name)
		return s
	}
	s.Sentence = fmt.Sprintf("%s answers %s directly, as they are on one network; %s asked %v, and does not know the answer", h.Name,
		f.target.From, f.target.From, f.target.addr)
	return s
}

// answeredFrom is the source of the answer as the asker gets it, if it does.
func (f *flow) answeredFrom() (from netip.Addr) {
	for i := range f.steps {
		s := &f.steps[i]
		ip, ok := packetOf(&s.Event)
		if ok && s.way == Back && !s.arp.IsValid() && s.Hook == trace.Egress && s.Verdict != trace.Drop {
			from = ip.Src()
		}
	}
	return from
}

// delivered finds the host that the question has reached, and who it came from as that host sees it.
func (f *flow) delivered() (h *sim.HostState, from netip.Addr) {
	for i := range f.steps {
		s := &f.steps[i]
		if s.way != There || s.arp.IsValid() || s.Hook != trace.Egress || s.Verdict == trace.Drop {
			continue
		}
		ip, ok := packetOf(&s.Event)
		if !ok {
			continue
		}
		if owner, card := f.lab.owner(ip.Dst()); owner != nil && card.Port == s.Port && card.Network == s.Where {
			h, from = owner, ip.Src()
		}
	}
	return h, from
}

// unanswered says why nobody told asker (nil: the gateway) who has an address.
func (f *flow) unanswered(asker *sim.HostState, a netip.Addr, w Way) *Stop {
	name := "gateway"
	if asker != nil {
		name = asker.Name
	}
	s := &Stop{Way: w, Where: name, Type: "arp", reason: trace.NeighFailed, host: asker, addr: a}
	if w == Back {
		s.at = f.progress(len(f.steps))
	}
	for i := range f.steps {
		if o := &f.steps[i]; o.arp == a && o.Verdict == trace.Drop && f.matters(o) {
			stop := f.stopOf(o, i)
			stop.Way, stop.addr = w, a
			return stop
		}
	}
	owner, card := f.lab.owner(a)
	switch {
	case owner == nil && f.lab.isGateway(a):
		s.Sentence = fmt.Sprintf("%s asks who has %v, which is the gateway's, on a network where the gateway does not answer for it", name, a)
	case owner == nil:
		s.Sentence = fmt.Sprintf("%s asks who has %v, and nobody does", name, a)
	case card.Down:
		s.reason, s.host, s.card = trace.PortDown, owner, card
		s.Sentence = fmt.Sprintf("%s asks who has %v: that is %s, whose %s is down", name, a, owner.Name, card.Name)
	case card.Port == "":
		s.reason, s.host, s.card = trace.PortGone, owner, card
		s.Sentence = fmt.Sprintf("%s asks who has %v: that is %s, whose cable is out of the switch", name, a, owner.Name)
	case f.unheard(asker, card, s):
		s.card = card
	default:
		s.Sentence = fmt.Sprintf("%s asks who has %v: %s does not hear it, or its answer is not heard", name, a, owner.Name)
	}
	s.Reason = s.reason.String()
	return s
}

// unheard finds the knob that keeps a broadcast from a port.
func (f *flow) unheard(asker *sim.HostState, to *sim.CardState, s *Stop) bool {
	if asker == nil {
		return false
	}
	i := slices.IndexFunc(asker.Cards, func(c sim.CardState) bool { return c.Network == to.Network })
	sw, ok := f.world.Switch(to.Network)
	if i < 0 || !ok {
		return false
	}
	theirs, ok1 := sw.Port(to.Port)
	ours, ok2 := sw.Port(asker.Cards[i].Port)
	switch {
	case !ok1 || !ok2:
		return false
	case theirs.Knobs().Isolated && ours.Knobs().Isolated:
		s.reason = trace.Isolated
		s.Sentence = fmt.Sprintf("%s asks who has %v, and %s does not hear it: %s", asker.Name, s.addr, to.Port, trace.Isolated.Sentence())
		return true
	case !theirs.Knobs().BroadcastFlood:
		s.reason = trace.NoFlood
		s.Sentence = fmt.Sprintf("%s asks who has %v, and %s does not hear it: bcast_flood is off on its port", asker.Name, s.addr, to.Port)
		return true
	}
	return false
}

package explain

import (
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// blockerAtStep finds the step that ended the question's way or the answer's: the first one that dropped a packet for which
// it mattered. What is dropped later is what was said about that.
func (f *flow) blockerAtStep(w api.Way) *blocker {
	for i := range f.steps {
		s := &f.steps[i]
		if s.way == w && !s.arp.IsValid() && s.Verdict == trace.Drop && f.matters(s) {
			return f.blockerOf(s, i)
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

// blockerOf says what a step's drop means.
func (f *flow) blockerOf(s *step, i int) *blocker {
	if s.Reason == trace.NeighFailed {
		if stop := f.unanswered(nil, f.waitedFor(s), s.way); stop != nil {
			stop.at = f.progress(i)
			return stop
		}
	}
	where, what := s.Step()
	return &blocker{reason: s.Reason, event: &s.Event, at: f.progress(i), Stop: api.Stop{Way: s.way, Where: where, Type: what,
		Reason: s.Reason.String(), Sentence: f.in(s.Reason.Sentence()), Rule: ruleOf(f.world.Gateway().Rules(), &s.Event)}}
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
	} else if ip, ok := s.Event.IPv4(); ok {
		dst = ip.Dst()
	}
	_, nic := f.lab.owner(dst)
	return !flooded || nic != nil && nic.Port == s.Port
}

// blockerAtTarget looks at the host that the question came to, when nothing that the switch saw explains the silence.
func (f *flow) blockerAtTarget() *blocker {
	h, from := f.delivered()
	if h == nil {
		return nil
	}
	asker := f.lab.host(f.target.From)
	if owner, _ := f.lab.owner(from); owner == h || f.has(api.Back) && asker != nil && f.answeredFrom() != f.target.addr {
		return f.hairpin(h, asker)
	}
	if f.has(api.Back) {
		return nil
	}
	if s := f.blockerAtRouter(api.Back); s != nil {
		return s
	}
	d, ok := f.routeFrom(h, api.Back)
	if !ok {
		return nil
	}
	return f.unanswered(h, nextHop(d, from), api.Back)
}

// hairpin is the reason of an answer that does not come back through the gateway, which alone could undo its translation.
const hairpin = "hairpin"

// hairpin is for a question that was led back to the asker's own network, or to the asker itself.
func (f *flow) hairpin(h, asker *sim.HostState) *blocker {
	s := &blocker{host: h, at: f.progress(len(f.steps)), Stop: api.Stop{Way: api.Back, Where: f.target.From, Type: "deliver", Reason: hairpin}}
	if h == asker {
		s.Way = api.There
		s.Sentence = f.in("the question comes back to %s with its own address as the source, which no kernel believes", h.Name)
		return s
	}
	s.Sentence = f.in("%s answers %s directly, as they are on one network; %s asked %v, and does not know the answer", h.Name,
		f.target.From, f.target.From, f.target.addr)
	return s
}

// answeredFrom is the source of the answer as the asker gets it, if it does.
func (f *flow) answeredFrom() (from netip.Addr) {
	for i := range f.steps {
		s := &f.steps[i]
		ip, ok := s.Event.IPv4()
		if ok && s.way == api.Back && !s.arp.IsValid() && s.Hook == trace.Egress && s.Verdict != trace.Drop {
			from = ip.Src()
		}
	}
	return from
}

// delivered finds the host that the question has reached, and who it came from as that host sees it.
func (f *flow) delivered() (h *sim.HostState, from netip.Addr) {
	for i := range f.inner {
		if s := &f.inner[i]; s.way == api.There && s.Kind == sim.StepArrive && s.Decision.Kind == sim.Local {
			h, from = f.lab.host(s.Host), s.Packet.Src()
		}
	}
	return h, from
}

func upper(protocol string) string { return strings.ToUpper(protocol) }

// unanswered says why nobody told asker (nil: the gateway) who has an address.
func (f *flow) unanswered(asker *sim.HostState, a netip.Addr, w api.Way) *blocker {
	name := "gateway"
	if asker != nil {
		name = asker.Name
	}
	s := &blocker{Stop: api.Stop{Way: w, Where: name, Type: "arp"}, reason: trace.NeighFailed, host: asker, addr: a}
	if w == api.Back {
		s.at = f.progress(len(f.steps))
	}
	for i := range f.steps {
		if o := &f.steps[i]; o.arp == a && o.Verdict == trace.Drop && f.matters(o) {
			stop := f.blockerOf(o, i)
			stop.Way, stop.addr = w, a
			return stop
		}
	}
	owner, nic := f.lab.owner(a)
	switch {
	case owner == nil && f.lab.isGateway(a):
		s.Sentence = f.in("%s asks who has %v, which is the gateway's, on a network where the gateway does not answer for it", name, a)
	case owner == nil:
		s.Sentence = f.in("%s asks who has %v, and nobody does", name, a)
	case nic.Down:
		s.reason, s.host, s.nic = trace.PortDown, owner, nic
		s.Sentence = f.in("%s asks who has %v: that is %s, whose %s is down", name, a, owner.Name, nic.Name)
	case nic.Port == "":
		s.reason, s.host, s.nic = trace.PortGone, owner, nic
		s.Sentence = f.in("%s asks who has %v: that is %s, whose cable is out of the switch", name, a, owner.Name)
	case f.unheard(asker, nic, s):
		s.nic = nic
	default:
		s.Sentence = f.in("%s asks who has %v: %s does not hear it, or its answer is not heard", name, a, owner.Name)
	}
	s.Reason = s.reason.String()
	return s
}

// unheard finds the flag that keeps a broadcast from a port.
func (f *flow) unheard(asker *sim.HostState, to *sim.NICState, s *blocker) bool {
	if asker == nil {
		return false
	}
	i := slices.IndexFunc(asker.NICs, func(c sim.NICState) bool { return c.Network == to.Network })
	sw, ok := f.world.Switch(to.Network)
	if i < 0 || !ok {
		return false
	}
	theirs, ok1 := sw.Port(to.Port)
	ours, ok2 := sw.Port(asker.NICs[i].Port)
	switch {
	case !ok1 || !ok2:
		return false
	case theirs.Flags().Isolated && ours.Flags().Isolated:
		s.reason = trace.Isolated
		s.Sentence = f.in("%s asks who has %v, and %s does not hear it: %s", asker.Name, s.addr, to.Port, f.in(trace.Isolated.Sentence()))
		return true
	case !theirs.Flags().BroadcastFlood:
		s.reason = trace.NoFlood
		s.Sentence = f.in("%s asks who has %v, and %s does not hear it: bcast_flood is off on its port", asker.Name, s.addr, to.Port)
		return true
	}
	return false
}

package explain

import (
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// stopAtStep finds the step that ended the question's way or the answer's: the first one that dropped a packet for which
// it mattered. What is dropped later is what was said about that.
func (f *flow) stopAtStep(w api.Way) *blocker {
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

// stopOf says what a step's drop means.
func (f *flow) stopOf(s *step, i int) *blocker {
	if s.Reason == trace.NeighFailed {
		if stop := f.unanswered(nil, f.waitedFor(s), s.way); stop != nil {
			stop.at = f.progress(i)
			return stop
		}
	}
	where, what := s.Step()
	return &blocker{reason: s.Reason, event: &s.Event, at: f.progress(i), Stop: api.Stop{Way: s.way, Where: where, Type: what,
		Reason: s.Reason.String(), Sentence: s.Reason.Sentence(), Rule: ruleOf(f.world.Gateway().Rules(), &s.Event)}}
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

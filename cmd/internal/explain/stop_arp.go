package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
	"uswitch/switch/trace"
)

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
func (f *flow) unheard(asker *sim.HostState, to *sim.CardState, s *blocker) bool {
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

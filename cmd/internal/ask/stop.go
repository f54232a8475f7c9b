package ask

import (
	"errors"
	"fmt"
	"net/netip"

	"uswitch/sim"
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

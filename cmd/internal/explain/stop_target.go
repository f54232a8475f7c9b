package explain

import (
	"fmt"
	"net/netip"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
	"uswitch/switch/trace"
)

// stopAtTarget looks at the host that the question came to, when nothing that the switch saw explains the silence.
func (f *flow) stopAtTarget() *blocker {
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
	if s := f.stopAtRouter(api.Back); s != nil {
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

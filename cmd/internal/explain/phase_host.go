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

// inner is a step inside a host, of the question, of its answer, or of the ARP that they need.
type inner struct {
	sim.Step
	way api.Way
	at  int // how many steps of the switch and the gateway came before
}

// toldKey is what is told once.
type toldKey struct {
	way        api.Way
	host, what string
}

func (b *builder) once(way api.Way, host, what string) bool {
	k := toldKey{way, host, what}
	told := b.told[k]
	b.told[k] = true
	return !told
}

// inside adds what a host decides, which cannot be seen outside.
func (b *builder) inside(s *inner) {
	p := api.Phase{Way: s.way, Where: s.Host, Type: string(s.Kind), Result: api.ResultAllow}
	if s.Drop != "" {
		p.Result, p.Reason, p.Found = api.ResultDrop, s.Drop, b.dropText(s)
	}
	switch s.Kind {
	case sim.StepRoute:
		if !b.once(s.way, s.Host, "route") {
			return
		}
		p.Looked = b.in("%s in the routes of %s", s.Addr.String(), s.Host)
		if s.Drop == "" {
			p.Found = decisionText(b.in, s.Decision)
		}
	case sim.StepNIC:
		if p.Looked = s.NIC; !b.once(s.way, s.Host, "interface") {
			return
		}
	case sim.StepForward:
		if !b.once(s.way, s.Host, "forward") {
			return
		}
		p.Looked = b.in("%s in the routes of %s", s.Packet.Dst().String(), s.Host)
		if s.Drop == "" {
			p.Found = b.in("%s: %s sends it on", decisionText(b.in, s.Decision), s.Host)
			p.Changed = b.in("ttl %d becomes %d", s.Packet.TTL(), int(s.Packet.TTL())-1)
		}
	case sim.StepDeliver:
		if s.way == api.Back || b.arrival {
			return
		}
		b.arrival = true
		b.takes(&p, s)
	case sim.StepNeighbor:
		wrong := b.wrongNeighbor(s)
		if s.Drop == "" && wrong == "" || !b.once(s.way, s.Host, "neighbor") {
			return
		}
		p.Looked, p.Found = b.in("%v in the neighbour table of %s", s.Addr, s.Host), wrong
	case sim.StepARP:
		b.unansweredARP(s)
		return
	case sim.StepUnseen:
		p.Type = "inside"
	case sim.StepArrive:
		if s.Drop == sim.DropOtherMAC || s.Drop == "" && s.Unknown == "" || !b.once(s.way, s.Host, "arrive") {
			return
		}
	}
	if s.Unknown != "" {
		if p.Result == api.ResultAllow {
			p.Result = api.ResultUnknown
		}
		if p.Found != "" && p.Found != s.Unknown {
			p.Found += "; "
		}
		if p.Found += s.Unknown; !b.once(s.way, s.Host, s.Unknown) {
			return
		}
	}
	b.add(p)
}

// unansweredARP tells why a host does not answer where it is asked for.
func (b *builder) unansweredARP(s *inner) {
	for key, at := range b.asked {
		if p := &b.all[at]; key.target == s.Addr && s.Drop != "" && p.Result == api.ResultDrop {
			p.Reason, p.Found = s.Drop, b.dropText(s)
		}
	}
}

// arrived adds what the outside does with what was delivered to it.
func (b *builder) arrived(s *step) {
	if s.way != api.There || s.Verdict == trace.Drop || s.Hook != trace.Egress || b.arrival {
		return
	}
	ip, ok := s.Event.IPv4()
	if !ok {
		return
	}
	if h, _ := b.lab.owner(ip.Dst()); h == nil && s.Port == "" && b.has(api.Back) {
		b.arrival = true
		b.add(api.Phase{Way: api.There, Where: "outside", Type: "answer", Result: api.ResultAnswer, Looked: b.in("%s of %s", b.target.What(b.in), ip.Dst().String()),
			Found: b.beyond()})
	}
}

// takes is what a host makes of the question.
func (b *builder) takes(p *api.Phase, s *inner) {
	if s.Drop == "" {
		p.Result, p.Found = api.ResultAnswer, b.in("answered")
	}
	port, _ := b.deliveredPort()
	switch b.target.Protocol {
	case "icmp":
		p.Looked = b.in("an echo request to %s itself", s.Host)
		if s.Drop == "" {
			p.Found = b.in("the kernel answers pings")
		}
	case "tcp", "udp":
		p.Looked = b.in("who listens on %s port %d in %s", b.target.Protocol, port, s.Host)
		if s.Drop == "" {
			p.Found = b.in("somebody does")
		}
	}
}

// noAnswer says at the end that the outside has not answered.
func (b *builder) noAnswer() {
	n := len(b.all)
	if !b.silent || b.arrival || n == 0 || b.all[n-1].Result == api.ResultDrop || b.all[n-1].Way == api.Back || b.lab.uplink() == nil {
		return
	}
	if b.all[n-1].Where == b.lab.uplink().Name() {
		b.add(api.Phase{Way: api.There, Where: "outside", Type: "answer", Result: api.ResultDrop, Reason: trace.TimedOut.String(),
			Looked: b.in("%s of %s", b.target.What(b.in), b.target.To), Found: b.in("nobody there answers")})
	}
}

// beyond says what is known of the outside.
func (b *builder) beyond() string {
	if b.lab.Uplink.Kind == Sim {
		return b.in("the simulated internet answers")
	}
	return b.in("taken for answered: what lies beyond the uplink cannot be known from here")
}

// deliveredPort is the port at which the question arrives, after all translation.
func (f *flow) deliveredPort() (uint16, bool) {
	port := f.target.Port
	for i := range f.steps {
		if s := &f.steps[i]; s.way == api.There && s.Verdict == trace.Rewrite && s.After.Proto == f.target.proto() && s.After.Proto != frame.ProtoICMP {
			port = s.After.DstPort
		}
	}
	return port, port != 0
}

// deliveredAt is the address at which the question arrives, after all translation.
func (f *flow) deliveredAt() netip.Addr {
	at := f.target.addr
	for i := range f.inner {
		if s := &f.inner[i]; s.way == api.There && s.Kind == sim.StepArrive && s.Packet != nil {
			at = s.Packet.Dst()
		}
	}
	return at
}

// heldAt names where a host's servers have a port that is not open at all of its addresses; empty: nobody has it.
func heldAt(h *sim.HostState, protocol string, port uint16) string {
	proto := uint8(frame.ProtoUDP)
	if protocol == "tcp" {
		proto = frame.ProtoTCP
	}
	var at []string
	for _, s := range h.Bound {
		if s.Proto != proto || s.Port != port {
			continue
		}
		text := netip.AddrPortFrom(s.Addr, port).String()
		switch {
		case s.Peer.IsValid():
			text += " for " + s.Peer.String()
		case s.NIC != "":
			text += " by " + s.NIC
		}
		if !slices.Contains(at, text) {
			at = append(at, text)
		}
	}
	return strings.Join(at, " and ")
}

// decisionText is a way as `ip route` prints it.
func decisionText(in trace.Language, d sim.Decision) string {
	switch {
	case d.Kind == sim.Local:
		return in("its own address: by lo")
	case d.Text != "":
		return d.Text
	}
	text := "dev " + d.NIC
	if d.Via.IsValid() {
		text = "via " + d.Via.String() + " " + text
	}
	if d.Prefix.IsValid() {
		text = routeText(d.Prefix.Masked()) + " " + text
	}
	return text
}

// routeFrom is the way that a host has found for the question, or for its answer; ok is false if it has not come to that.
func (f *flow) routeFrom(h *sim.HostState, w api.Way) (sim.Decision, bool) {
	for i := range f.inner {
		if s := &f.inner[i]; h != nil && s.Host == h.Name && s.way == w && (s.Kind == sim.StepRoute || s.Kind == sim.StepForward) && s.Drop == "" {
			return s.Decision, true
		}
	}
	return sim.Decision{}, false
}

// nextHop is who has to take a packet.
func nextHop(d sim.Decision, dst netip.Addr) netip.Addr {
	if d.Via.IsValid() {
		return d.Via
	}
	return dst
}

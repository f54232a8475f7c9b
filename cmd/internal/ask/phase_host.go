package ask

import (
	"fmt"
	"net/netip"
	"slices"

	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// asker adds what the asker itself decides, before anything can be seen outside.
func (b *builder) asker() {
	h := b.lab.host(b.target.From)
	if h == nil {
		return
	}
	p := Phase{Way: There, Where: h.Name, Type: "route", Result: Allow, Looked: b.target.addr.String() + " in the routes of " + h.Name}
	r, ok := routeOf(h, b.target.addr)
	switch {
	case !ok:
		p.Result, p.Reason = Drop, trace.NoRoute.String()
		p.Found = "no route: the program hears `Network is unreachable`, and nothing leaves " + h.Name
	default:
		p.Found = r.text
	}
	b.add(p)
	if ok && r.card != nil && r.card.Down {
		b.add(Phase{Way: There, Where: h.Name, Type: "interface", Result: Drop, Looked: r.card.Name, Reason: trace.PortDown.String(),
			Found: "it is down: nothing leaves"})
	}
}

// arrived adds what a host does with what was delivered to it.
func (b *builder) arrived(s *step) {
	if s.way != There || s.Verdict == trace.Drop || s.Hook != trace.Egress || b.arrival {
		return
	}
	ip, ok := packetOf(&s.Event)
	if !ok {
		return
	}
	h, card := b.lab.owner(ip.Dst())
	switch {
	case h != nil && card.Port == s.Port && card.Network == s.Where && ip.FragmentOffset() == 0:
		b.arrival = true
		b.add(b.takes(h))
		b.wayBack(h, ip.Src())
	case h == nil && s.Port == "" && b.has(Back):
		b.arrival = true
		b.add(Phase{Way: There, Where: "outside", Type: "answer", Result: Answers, Looked: b.target.what() + " of " + ip.Dst().String(),
			Found: b.beyond()})
	}
}

// takes is what a host makes of the question.
func (b *builder) takes(h *sim.HostState) Phase {
	port, ok := b.deliveredPort()
	p := Phase{Way: There, Where: h.Name, Type: "deliver", Result: Answers, Found: "answered"}
	switch b.target.Protocol {
	case "icmp":
		p.Looked, p.Found = "an echo request to "+h.Name+" itself", "the kernel answers pings"
	case "tcp", "udp":
		p.Looked = fmt.Sprintf("who listens on %s port %d in %s", b.target.Protocol, port, h.Name)
		switch {
		case ok && listens(h, b.target.Protocol, port):
			p.Found = "somebody does"
		default:
			p.Result, p.Reason, p.Found = Drop, trace.NoSocket.String(), "nobody: the asker is told"
		}
	}
	return p
}

// wayBack is the route of the host's answer.
func (b *builder) wayBack(h *sim.HostState, to netip.Addr) {
	p := Phase{Way: Back, Where: h.Name, Type: "route", Result: Allow, Looked: to.String() + " in the routes of " + h.Name}
	if r, ok := routeOf(h, to); ok {
		p.Found = r.text
	} else {
		p.Result, p.Reason, p.Found = Drop, trace.NoRoute.String(), "no route: the answer never leaves "+h.Name
	}
	b.add(p)
}

// noAnswer says at the end that the outside has not answered.
func (b *builder) noAnswer() {
	n := len(b.all)
	if !b.silent || b.arrival || n == 0 || b.all[n-1].Result == Drop || b.all[n-1].Way == Back || b.lab.uplink() == nil {
		return
	}
	if b.all[n-1].Where == b.lab.uplink().Name() {
		b.add(Phase{Way: There, Where: "outside", Type: "answer", Result: Drop, Reason: trace.TimedOut.String(),
			Looked: b.target.what() + " of " + b.target.To, Found: "nobody there answers"})
	}
}

// beyond says what is known of the outside.
func (b *builder) beyond() string {
	if b.lab.Uplink.Kind == Sim {
		return "the simulated internet answers"
	}
	return "taken for answered: what lies beyond the uplink cannot be known from here"
}

// deliveredPort is the port at which the question arrives, after all translation.
func (f *flow) deliveredPort() (uint16, bool) {
	port := f.target.Port
	for i := range f.steps {
		if s := &f.steps[i]; s.way == There && s.Verdict == trace.Rewrite && s.After.Proto == f.target.proto() && s.After.Proto != frame.ProtoICMP {
			port = s.After.DstPort
		}
	}
	return port, port != 0
}

func listens(h *sim.HostState, protocol string, port uint16) bool {
	if protocol == "tcp" {
		return slices.Contains(h.TCP, port)
	}
	return slices.Contains(h.UDP, port)
}

// way is a route that a host has.
type wayOut struct {
	text string
	via  netip.Addr
	card *sim.CardState
}

// routeOf finds a host's route to an address: the longest prefix, as its kernel does.
func routeOf(h *sim.HostState, to netip.Addr) (best wayOut, ok bool) {
	bits := -1
	consider := func(p netip.Prefix, via netip.Addr, c *sim.CardState) {
		if !p.Contains(to) || p.Bits() <= bits || c == nil || !c.Addr.IsValid() {
			return
		}
		bits, ok = p.Bits(), true
		best = wayOut{text: routeText(p.Masked()) + " dev " + c.Name, card: c}
		if via.IsValid() {
			best.text, best.via = routeText(p.Masked())+" via "+via.String()+" dev "+c.Name, via
		}
	}
	for i := range h.Cards {
		c := &h.Cards[i]
		if c.Addr.IsValid() && c.Addr.Addr() == to || to.IsLoopback() {
			return wayOut{text: "its own address: by lo"}, true
		}
		consider(c.Addr, netip.Addr{}, c)
	}
	for _, r := range h.Routes {
		i := slices.IndexFunc(h.Cards, func(c sim.CardState) bool { return c.Name == r.Card })
		if i >= 0 {
			consider(r.Prefix, r.Via, &h.Cards[i])
		}
	}
	return best, ok
}

package nat

import (
	"net/netip"
	"time"

	"uswitch/arp"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// transmit sends a packet out: an uplink takes it as it is, on a network it needs its next hop's hardware address.
func (g *Gateway) transmit(p *packet) {
	if p.out.uplink != nil {
		g.transmitUplink(p)
		return
	}
	if !p.ip.Is4() && p.ip.Dst().IsMulticast() {
		p.deliver(frame.GroupMAC(p.ip.Dst()), 0, trace.NeighborGroup)
		return
	}
	r := p.out.neighbors.Resolve(p.nextHop, p.now)
	if r.Answer == arp.Known {
		g.arm(p.now.Add(arp.DelayTime))
		note := trace.NeighborKnown
		if r.Static {
			note = trace.NeighborStatic
		}
		p.deliver(r.MAC, r.Age, note)
		return
	}
	g.hold(p)
}

func (g *Gateway) transmitUplink(p *packet) {
	if r := p.out.uplink.Output(p.f, p.now); r != trace.NoReason {
		if r == trace.InsideSource {
			r = g.whySource(p)
		}
		g.refuse(p, trace.Egress, r)
		return
	}
	p.out.tx.count(len(p.ip))
	if p.j.On() { // now, and not before: what an uplink refuses has not left
		e := p.event(trace.Egress, trace.Accept, trace.UplinkSent)
		e.Where = p.out.name
		p.emit(e)
	}
}

// whySource says why the source of a packet that an uplink does not take is not the uplink's own.
func (g *Gateway) whySource(p *packet) trace.Reason {
	back, ok := g.view.Load().routes.Lookup(p.ip.Src())
	switch {
	case p.flow.state == rule.StateInvalid && !p.flow.verbatim:
		return trace.Invalid // which is why no rule has translated it
	case !ok || back.Dev.uplink != nil:
		return trace.ForeignSource
	}
	return trace.InsideSource
}

// deliver puts the packet onto its network, addressed to the next hop.
func (p *packet) deliver(to frame.MAC, age time.Duration, note trace.Note) {
	frame.Ethernet(p.f.Data).SetHeader(to, p.out.self().MAC, p.ip.EtherType())
	if p.j.On() {
		e := p.event(trace.Neighbor, trace.Accept, note)
		e.Addr, e.MAC, e.Age, e.Port = p.nextHop, to, age, p.out.name
		e.IP, e.Frame = false, p.f
		p.emit(e)
	}
	p.out.tx.count(len(p.f.Data))
	p.out.segment.Output(p.f, p.j, p.now)
}

// hold lets a packet wait, and asks for its next hop unless somebody has.
func (g *Gateway) hold(p *packet) {
	out := p.out
	r, dropped := out.neighbors.Hold(p.nextHop, p.held(), p.now)
	for _, d := range dropped {
		g.dropHeld(d, trace.Neighbor, trace.NeighQueueFull, p.now)
	}
	switch r.Answer {
	case arp.Known:
		p.deliver(r.MAC, r.Age, trace.NeighborKnown)
	case arp.Full:
		g.drop(p, trace.Neighbor, trace.NeighTableFull)
	case arp.Ask, arp.Wait:
		note := trace.NeighborWaiting
		if r.Answer == arp.Ask {
			note = trace.NeighborAsked
		}
		if p.j.On() {
			e := p.event(trace.Neighbor, trace.Queue, note)
			e.Addr, e.Port = p.nextHop, out.name
			p.emit(e)
		}
		g.arm(p.now.Add(arp.RetransTime))
		if r.Answer == arp.Ask {
			g.ask(out, p.nextHop, frame.Broadcast, p.now)
		}
	}
}

// release sends what has waited for a neighbour that answered.
func (g *Gateway) release(waiting []held, mac frame.MAC, now time.Time) {
	for _, h := range waiting {
		h.p.j, h.p.now = g.tracer.Resume(h.token, now), now
		if !h.p.j.Steps() || !g.holdWaiting(&h.p, func(p *packet) { p.deliver(mac, 0, trace.NeighborSent) }) {
			h.p.deliver(mac, 0, trace.NeighborSent)
		}
		h.p.j.End()
	}
}

// dropHeld gives a packet up that has waited in vain.
func (g *Gateway) dropHeld(h held, hook trace.Hook, r trace.Reason, now time.Time) {
	h.p.j, h.p.now = g.tracer.Resume(h.token, now), now
	if !h.p.j.Steps() || !g.holdWaiting(&h.p, func(p *packet) { g.refuse(p, hook, r) }) {
		g.refuse(&h.p, hook, r)
	}
	h.p.j.End()
}

// ask sends an ARP request or a neighbour solicitation: to everyone, or to the address where the neighbour was last.
func (g *Gateway) ask(i *Interface, addr netip.Addr, to frame.MAC, now time.Time) {
	if addr.Is6() {
		g.solicit(i, addr, to, now)
		return
	}
	note := trace.Originated
	if to != frame.Broadcast {
		note = trace.NeighborProbe
	}
	i.sendARP(to, i.addrFor(addr), addr, note, now)
}

// announceAddr tells everyone on the network of an address of the gateway's own (RFC 5227 2.3, RFC 4861 7.2.6).
func (i *Interface) announceAddr(addr netip.Addr, now time.Time) {
	if addr.Is6() {
		i.gw.advertise(i, addr, frame.AllNodes, trace.ARPAnnounced, now)
		return
	}
	i.sendARP(frame.Broadcast, addr, addr, trace.ARPAnnounced, now)
}

// sendARP sends an ARP request about addr in the gateway's own name.
func (i *Interface) sendARP(to frame.MAC, own, addr netip.Addr, note trace.Note, now time.Time) {
	b := make([]byte, frame.EthernetHeader+frame.ARPLength)
	frame.Ethernet(b).SetHeader(to, i.self().MAC, frame.TypeARP)
	frame.PutARP(b[frame.EthernetHeader:], frame.ARPRequest, i.self().MAC, own, frame.MAC{}, addr)
	i.sendFrame(frame.Frame{Data: b}, note, addr, to, now)
}

// sendFrame sends a frame of the gateway's own, as a journey of its own. addr and mac are what note speaks of.
func (i *Interface) sendFrame(f frame.Frame, note trace.Note, addr netip.Addr, mac frame.MAC, now time.Time) {
	j := i.gw.tracer.Begin(now)
	defer j.End()
	if j.Steps() && i.holdFrame(f, note, addr, mac, j) {
		return
	}
	i.sendOn(j, f, note, addr, mac, now)
}

// sendOn is sendFrame on the journey j.
func (i *Interface) sendOn(j *trace.Journey, f frame.Frame, note trace.Note, addr netip.Addr, mac frame.MAC, now time.Time) {
	if j.On() {
		j.Emit(trace.Event{Hook: trace.ARP, Verdict: trace.Accept, Note: note, Where: gatewayName, Port: i.name,
			Addr: addr, MAC: mac, Frame: f})
		now = j.Now()
	}
	i.tx.count(len(f.Data))
	i.segment.Output(f, j, now)
}

// holdFrame asks about an ARP packet of the gateway's own.
func (i *Interface) holdFrame(f frame.Frame, note trace.Note, addr netip.Addr, mac frame.MAC, j *trace.Journey) bool {
	e := trace.Event{Hook: trace.ARP, Where: gatewayName, Port: i.name, Frame: f}
	return j.Hold(e, f, func(f frame.Frame, j *trace.Journey, now time.Time) { i.sendOn(j, f, note, addr, mac, now) })
}

// holdWaiting asks about a packet that has waited; then is the rest of its way.
func (g *Gateway) holdWaiting(p *packet, then func(p *packet)) bool {
	e, q := p.event(trace.Neighbor, trace.Queue, trace.NoNote), *p
	return p.j.Hold(e, p.f, func(f frame.Frame, j *trace.Journey, now time.Time) {
		q.f, q.j, q.now = f, j, now
		q.ip = frame.IP(f.Data[frame.EthernetHeader:])[:len(q.ip)]
		then(&q)
	})
}

// SetNeighbor enters a neighbour by hand: it is not asked for, and not forgotten. Packets that waited for it go.
func (i *Interface) SetNeighbor(addr netip.Addr, mac frame.MAC, now time.Time) {
	i.gw.release(i.neighbors.SetPermanent(addr, mac, now), mac, now)
}

// RemoveNeighbor forgets a neighbour and reports whether there was one. Packets that waited for it are dropped.
func (i *Interface) RemoveNeighbor(addr netip.Addr, now time.Time) bool {
	held, ok := i.neighbors.Remove(addr)
	i.giveUp(held, now)
	return ok
}

// FlushNeighbors forgets every neighbour that was not entered by hand. Packets that waited are dropped.
func (i *Interface) FlushNeighbors(now time.Time) { i.giveUp(i.neighbors.Flush(), now) }

func (i *Interface) giveUp(waiting []held, now time.Time) {
	for _, h := range waiting {
		i.gw.dropHeld(h, trace.Neighbor, trace.NeighRemoved, now)
	}
}

// Neighbors lists an interface's neighbour table.
func (i *Interface) Neighbors(now time.Time) []arp.Neighbor { return i.neighbors.List(now) }

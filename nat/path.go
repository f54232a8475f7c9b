package nat

import (
	"cmp"
	"time"

	"uswitch/nat/route"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// InputUplink takes an IP packet that came in by an uplink. The first EthernetHeader bytes of the frame are room. The
// bytes are borrowed until it returns and may be changed.
func (g *Gateway) InputUplink(in *Interface, f frame.Frame, now time.Time) {
	j := g.tracer.Begin(now)
	defer j.End()
	if j.Steps() && g.holdUplink(in, f, j) {
		return
	}
	g.inputUplink(in, f, j, now)
}

// inputUplink is InputUplink on the journey j.
func (g *Gateway) inputUplink(in *Interface, f frame.Frame, j *trace.Journey, now time.Time) {
	in.rx.count(len(f.Data) - frame.EthernetHeader)
	f.Source = in.source(f)
	if j.On() {
		e := trace.Event{Hook: trace.Ingress, Verdict: trace.Accept, Note: trace.UplinkReceived, Where: in.name, IP: true, Frame: f.Packet()}
		in.note(&e)
		j.Emit(e)
		now = j.Now()
	}
	g.path(&packet{f: f, in: in, j: j, now: now})
}

// holdUplink asks about a packet that came in by an uplink. Packets begin at the gateway in four places: they come in by an
// uplink, the gateway sends them, it sends an ARP packet, or what has waited goes on. At each, whoever steps through such
// packets is asked first: see trace.Stepper.
func (g *Gateway) holdUplink(in *Interface, f frame.Frame, j *trace.Journey) bool {
	e := trace.Event{Hook: trace.Ingress, Where: in.name, IP: true, Frame: f.Packet()}
	return j.Hold(e, f, func(f frame.Frame, j *trace.Journey, now time.Time) { g.inputUplink(in, f, j, now) })
}

// Input takes a frame that the switch hands to its local port; it makes Interface a vswitch.Station. The frame's bytes
// are borrowed until it returns, and may be changed.
func (i *Interface) Input(f frame.Frame, j *trace.Journey, now time.Time) {
	i.rx.count(len(f.Data))
	f.Source = i.source(f)
	e, ok := frame.ParseEthernet(f.Data)
	p := packet{f: f, in: i, j: j, now: now}
	switch {
	case !ok:
		i.gw.drop(&p, trace.Input, trace.PktTooSmall)
	case !e.Dst().IsGroup() && e.Dst() != i.self().MAC:
		i.gw.drop(&p, trace.Input, trace.OtherHost)
	case e.Type() == frame.TypeARP:
		i.gw.arp(&p, e)
	case e.Type() == frame.TypeIPv6 && !i.hasIPv6():
		i.gw.drop(&p, trace.Input, trace.NoIPv6)
	case e.Type() == frame.TypeIPv4, e.Type() == frame.TypeIPv6:
		p.srcMAC, p.etherType, p.toGroup = e.Src(), e.Type(), e.Dst().IsGroup()
		i.gw.path(&p)
	default:
		i.gw.drop(&p, trace.Input, trace.NotIP)
	}
}

// path carries one packet, of either family, from its arrival to where it leaves: the whole of layer 3, in the order of
// netfilter.
func (g *Gateway) path(p *packet) {
	v := g.view.Load()

	// The headers (RFC 1812 5.2.2, RFC 8200 4), and who can have sent such a packet (5.3.7, 5.3.8).
	if r := p.parse(); r != trace.NoReason {
		g.drop(p, trace.Prerouting, r)
		return
	}
	if r := v.martian(p); r != trace.NoReason {
		g.drop(p, trace.Prerouting, r)
		return
	}
	if r, _, _ := checkHeaders(p.ip); r != trace.NoReason {
		g.refuse(p, trace.Prerouting, r)
		return
	}

	// From here on packets are whole: ports are in the first fragment only, and no rule could speak of the others.
	if p.ip.IsFragment() && !g.reassemble(p) {
		return
	}
	if r := p.readTransport(); r != trace.NoReason {
		g.drop(p, trace.Prerouting, r)
		return
	}

	// PREROUTING: raw, connection tracking, mangle, then translation of the destination.
	if !g.filter(p, rule.Raw, trace.Prerouting) {
		return
	}
	g.track(p)
	if !g.filter(p, rule.Mangle, trace.Prerouting) {
		return
	}
	g.translateDestination(p, v, trace.Prerouting)

	// The gateway's own addresses, and everyone's, end here.
	if v.isLocal(p) && !v.isShared(p) {
		g.input(p)
		return
	}
	if !g.route(p, v) {
		return
	}

	// FORWARD.
	switch {
	case p.toGroup:
		g.drop(p, trace.Forward, trace.OtherHost) // said to all on the wire, meant for one: not to be passed on (RFC 1122 3.3.6)
		return
	case !v.forwards(p.ip):
		g.drop(p, trace.Forward, trace.NoForwarding)
		return
	case p.ip.TTL() <= 1:
		g.refuse(p, trace.Forward, trace.TTLExpired)
		return
	case !p.fits() && !p.mayFragment():
		g.refuse(p, trace.Forward, trace.FragNeeded)
		return
	}
	p.ip.DecrementTTL()
	if !g.filter(p, rule.Mangle, trace.Forward) || !g.filter(p, rule.Filter, trace.Forward) {
		return
	}
	g.postrouting(p)
}

// send begins the journey of a packet of the gateway's own. p has its frame, with the IP packet behind room for an
// Ethernet header, and the time.
func (g *Gateway) send(p *packet) {
	p.f.Source = 0
	p.j = g.tracer.Begin(p.now)
	defer p.j.End()
	if p.j.Steps() && g.holdOwn(p) {
		return
	}
	g.output(p)
}

// holdOwn asks about a packet of the gateway's own.
func (g *Gateway) holdOwn(p *packet) bool {
	e, q := trace.Event{Hook: trace.Output, Where: gatewayName, IP: true, Frame: p.f.Packet()}, *p
	return p.j.Hold(e, p.f, func(f frame.Frame, j *trace.Journey, now time.Time) {
		q.f, q.j, q.now = f, j, now
		g.output(&q)
	})
}

// output carries a packet that the gateway itself sends.
func (g *Gateway) output(p *packet) {
	if r := p.parse(); r != trace.NoReason {
		g.drop(p, trace.Output, r)
		return
	}
	if r := p.readTransport(); r != trace.NoReason {
		g.drop(p, trace.Output, r)
		return
	}
	if p.j.On() {
		e := p.event(trace.Output, trace.Accept, cmp.Or(p.note, trace.Originated))
		e.Addr, e.MAC = p.about, p.station
		if p.flow.verbatim {
			e.Note, e.Addr = trace.ErrorSent, p.ip.Dst()
		}
		if p.machine {
			e.Note = trace.MachineError
		}
		p.emit(e)
	}
	v := g.view.Load()
	if !g.filter(p, rule.Raw, trace.Output) {
		return
	}
	g.track(p)
	if !g.filter(p, rule.Mangle, trace.Output) {
		return
	}
	g.translateDestination(p, v, trace.Output)
	if v.isLocal(p) {
		if g.filter(p, rule.Filter, trace.Output) {
			g.input(p)
		}
		return
	}
	if !g.route(p, v) || !g.filter(p, rule.Filter, trace.Output) {
		return
	}
	g.postrouting(p)
}

// postrouting asks the table mangle, translates the source, enters a new connection into the table, and sends the packet.
func (g *Gateway) postrouting(p *packet) {
	if !g.filter(p, rule.Mangle, trace.Postrouting) || !g.translateSource(p, trace.Postrouting) || !g.confirm(p, trace.Postrouting) {
		return
	}
	switch {
	case p.fits():
		g.transmit(p)
	case !p.mayFragment():
		g.drop(p, trace.Postrouting, trace.FragNeeded)
	default:
		g.fragment(p)
	}
}

// route finds the way out.
func (g *Gateway) route(p *packet, v *view) bool {
	r, ok := v.routes.Lookup(p.ip.Dst())
	if p.link != nil && linkScope(p.ip.Dst()) { // the gateway's own, and it knows which link it means
		r, ok = route.Route[*Interface]{Prefix: frame.LinkLocal, Dev: p.link}, true
	} else if linkScope(p.ip.Dst()) || p.in != nil && p.ip.Src().IsLinkLocalUnicast() && p.ip.Src().Is6() {
		g.refuse(p, trace.Route, trace.BeyondScope)
		return false
	}
	if !ok {
		g.refuse(p, trace.Route, trace.NoRoute)
		return false
	}
	p.out, p.nextHop, p.prefix = r.Dev, r.Via, r.Prefix
	note := trace.RoutePrefix
	if r.Connected() {
		p.nextHop, note = p.ip.Dst(), trace.RouteConnected
	}
	if r.Prefix.Bits() == 0 {
		note = trace.RouteDefault
	}
	if r.Connected() && p.ip.Dst() == frame.BroadcastOf(r.Prefix) {
		g.drop(p, trace.Route, trace.Directed)
		return false
	}
	if p.j.On() {
		e := p.event(trace.Route, trace.Accept, note)
		e.Addr, e.Prefix, e.Port = p.ip.Dst(), r.Prefix, r.Dev.name
		p.emit(e)
	}
	return true
}

// Originate begins the journey of an IP packet that a program of the gateway sends, behind EthernetHeader bytes of room. It
// has its checksums, as far as its offload metadata does not leave them to be done. The bytes are borrowed until it
// returns and may be changed.
func (g *Gateway) Originate(f frame.Frame, now time.Time) { g.send(&packet{f: f, now: now}) }

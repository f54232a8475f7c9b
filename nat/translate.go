package nat

import (
	"encoding/binary"

	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Translation happens twice on a packet's way. PREROUTING (or OUTPUT) changes where it goes to, POSTROUTING where it
// seems to come from; between them, routing and FORWARD see the inside addresses. Rules are asked about the first packet
// of a connection only. What they decide is written into the connection's reply tuple, and from then on every packet, in
// both directions, becomes what the other tuple says, reversed: the first packet too.

// track finds the packet's connection, or begins one; of an ICMP error, the connection that it is about.
func (g *Gateway) track(p *packet) {
	switch {
	case p.flow.verbatim:
	case p.hasTuple:
		p.flow = g.conns.track(p.tuple, p.segment, p.now)
	default:
		p.flow = flow{state: rule.StateInvalid}
		// An error goes to whoever sent the packet that it quotes, or it is a lie.
		if quote, ok := quotedPacket(p.ip); ok && quote.Src() == p.ip.Dst() {
			if t, ok := frame.TupleOf(quote); ok {
				p.flow = g.conns.related(t, p.now)
			}
			// A redirect speaks of the other side's routes: after translation it would be nonsense (nf_nat drops it too).
			if c := p.flow.conn; c != nil && c.translated() && p.ip.Payload()[0] == frame.ICMPRedirect {
				p.flow = flow{state: rule.StateInvalid}
			}
		}
	}
}

// confirm puts a new connection into the table.
func (g *Gateway) confirm(p *packet, h trace.Hook) bool {
	if !p.flow.first {
		return true
	}
	f, r := g.conns.confirm(p.flow, p.segment, p.now)
	if r != trace.NoReason {
		g.conns.abandon(p.flow.conn)
		g.refuse(p, h, r)
		return false
	}
	p.flow = f
	g.arm(p.now.Add(sweepInterval))
	return true
}

// translateDestination is PREROUTING's part, and OUTPUT's. It drops nothing: iptables has no DROP in the nat table.
func (g *Gateway) translateDestination(p *packet, v *view, h trace.Hook) {
	c := p.flow.conn
	if c == nil || p.flow.verbatim {
		if p.j.On() && h == trace.Prerouting {
			p.j.Emit(p.event(h, trace.Accept, trace.ConnUntracked))
		}
		return
	}
	var d rule.Decision
	if p.flow.first {
		d = g.evaluate(p, rule.NAT, h)
		g.chooseDestination(p, v, d)
	}
	before, target := p.tuple, c.target(p.flow.dir)
	if p.flow.state == rule.StateRelated {
		p.rewriteError(target)
	} else if p.tuple.DstIP != target.DstIP || p.tuple.DstPort != target.DstPort {
		p.rewrite(p.tuple.SrcIP, p.tuple.SrcPort, target.DstIP, target.DstPort)
	}
	if p.j.On() && (h == trace.Prerouting || p.tuple != before) {
		p.emitTranslation(h, before, d, p.destinationNote(before))
	}
}

// chooseDestination does what a DNAT or REDIRECT rule says, or failing that, leads an answer to a mapped port home.
func (g *Gateway) chooseDestination(p *packet, v *view, d rule.Decision) {
	c, t := p.flow.conn, p.tuple
	switch d.Verdict {
	case rule.DNAT:
		addr, port := pickAddr(d.NAT, t.SrcIP, t.DstIP), t.DstPort
		if d.NAT.HasPorts {
			port = pickPort(d.NAT, t.DstPort)
		}
		c.setDestination(addr, port)
	case rule.Redirect:
		port := t.DstPort
		if d.NAT.HasPorts {
			port = pickPort(d.NAT, t.DstPort)
		}
		addr := t.SrcIP // OUTPUT: the gateway talks to itself
		if p.in != nil {
			addr = p.in.self.Addr.Addr().As4()
		}
		c.setDestination(addr, port)
	default:
		if inside, ok := g.conns.mapped(t); ok && v.local[t.Dst()] != nil {
			c.setDestination(inside.addr, inside.port)
		}
	}
}

// translateSource is POSTROUTING's part, and INPUT's.
func (g *Gateway) translateSource(p *packet, h trace.Hook) bool {
	c := p.flow.conn
	if c == nil || p.flow.verbatim {
		return true
	}
	var d rule.Decision
	if p.flow.first {
		d = g.evaluate(p, rule.NAT, h)
		if r := g.chooseSource(p, d); r != trace.NoReason {
			g.conns.abandon(c)
			g.refuse(p, h, r)
			return false
		}
	}
	before, target := p.tuple, c.target(p.flow.dir)
	if p.flow.state == rule.StateRelated {
		p.rewriteErrorSource(c, target)
	} else if p.tuple.SrcIP != target.SrcIP || p.tuple.SrcPort != target.SrcPort {
		p.rewrite(target.SrcIP, target.SrcPort, p.tuple.DstIP, p.tuple.DstPort)
	}
	if p.j.On() && (p.tuple != before || p.flow.first && h == trace.Postrouting) {
		note := trace.NoRuleChanged
		switch {
		case p.flow.dir == reply:
			note = trace.ReplyTranslated
		case !p.flow.first:
			note = trace.SameTranslation
		case p.tuple != before:
			note = trace.NoNote // the rule says it all
		}
		p.emitTranslation(h, before, d, note)
	}
	return true
}

// chooseSource does what a MASQUERADE or SNAT rule says. With an uplink that owns its address, the port is the uplink's
// to give, for the gateway's own packets too. Without a rule the source stays, unless another connection expects the same
// answers; then its port moves (the kernel's null binding).
func (g *Gateway) chooseSource(p *packet, d rule.Decision) trace.Reason {
	c, addr := p.flow.conn, p.tuple.SrcIP
	switch d.Verdict {
	case rule.Masquerade:
		addr = p.out.self.Addr.Addr().As4()
	case rule.SNAT:
		addr = pickAddr(d.NAT, p.tuple.SrcIP, p.tuple.SrcIP)
	default:
		if !p.bindsTo(addr) && !g.conns.ambiguous(c) {
			return trace.NoReason
		}
	}
	if p.bindsTo(addr) {
		source, r := p.out.binder.Bind(p.tuple, p.now)
		if r != trace.NoReason {
			return r
		}
		c.bound = p.out
		c.setSource(source.Addr().As4(), source.Port())
		return trace.NoReason
	}
	ports := portRange{}
	if d.NAT.HasPorts {
		ports = portRange{d.NAT.MinPort, d.NAT.MaxPort}
	}
	if !g.masquerade(c, addr, ports, d.NAT.Random) {
		return trace.NATNoPort
	}
	return trace.NoReason
}

// bindsTo reports whether the port that the packet leaves with is the uplink's to give.
func (p *packet) bindsTo(addr [4]byte) bool {
	return p.out != nil && p.out.binder != nil && addr == p.out.self.Addr.Addr().As4()
}

func (g *Gateway) masquerade(c *conn, addr [4]byte, ports portRange, random bool) bool {
	if !random {
		return g.conns.masquerade(c, addr, ports, nil)
	}
	g.randMu.Lock()
	start := g.rand.Uint32()
	g.randMu.Unlock()
	return g.conns.masquerade(c, addr, ports, &start)
}

// emitTranslation tells what a NAT chain did.
func (p *packet) emitTranslation(h trace.Hook, before frame.Tuple, d rule.Decision, n trace.Note) {
	verdict := trace.Accept
	if p.tuple != before {
		verdict = trace.Rewrite
	}
	e := p.event(h, verdict, n)
	e.Before = before
	if verdict == trace.Rewrite {
		e.After = p.tuple
	}
	if d.Rule != nil {
		e.Rule, e.Chain, e.Target = d.Text, d.Chain, d.Target
	}
	p.j.Emit(e)
}

// destinationNote says what the packet is to its connection, and whether its destination was translated.
func (p *packet) destinationNote(before frame.Tuple) trace.Note {
	f, changed := p.flow, p.tuple != before
	switch {
	case f.state == rule.StateRelated:
		return trace.ConnRelated
	case f.first && changed:
		return trace.ConnNew
	case f.first:
		return trace.NoRuleChanged
	case f.dir == reply && changed:
		return trace.ReplyTranslated
	case f.dir == reply:
		return trace.ConnReply
	case changed:
		return trace.SameTranslation
	}
	return trace.ConnOriginal
}

// pickAddr chooses from a rule's addresses: always the same for the same client (RFC 4787 REQ-2), spread over the range by
// the client's address.
func pickAddr(r rule.Range, client, unchanged [4]byte) [4]byte {
	if !r.MinAddr.IsValid() {
		return unchanged
	}
	low, high := number(r.MinAddr.As4()), number(r.MaxAddr.As4())
	span := uint64(high-low) + 1 // all addresses that there are, perhaps
	var addr [4]byte
	binary.BigEndian.PutUint32(addr[:], low+uint32(uint64(number(client))%span))
	return addr
}

// pickPort chooses from a rule's ports: shifted (around the end of the range if need be), or the same if it is among them,
// or the first.
func pickPort(r rule.Range, port uint16) uint16 {
	switch {
	case r.BasePort != 0:
		span := uint32(r.MaxPort-r.MinPort) + 1
		return r.MinPort + uint16(uint32(port-r.BasePort)%span)
	case r.MinPort <= port && port <= r.MaxPort:
		return port
	}
	return r.MinPort
}

func number(ip [4]byte) uint32 { return binary.BigEndian.Uint32(ip[:]) }

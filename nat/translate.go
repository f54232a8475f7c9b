package nat

import (
	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Translation happens twice on a packet's way. PREROUTING (or OUTPUT) changes where it goes to, POSTROUTING where it
// seems to come from; between them, routing and FORWARD see the inside addresses. Rules are asked about the first packet
// of a connection only. What they decide is written into the connection's reply tuple, and from then on every packet, in
// both directions, becomes what the other tuple says, reversed: the first packet too. The choices are in choose.go.

// track finds the packet's connection, or begins one; of an ICMP error, the connection that it is about.
func (g *Gateway) track(p *packet) {
	switch {
	case p.flow.verbatim:
	case p.ip.IsLinkSignal():
		p.flow = flow{state: rule.StateUntracked}
	case p.hasTuple:
		p.flow = flowOf(g.conns.Track(p.tuple, p.f.Source, p.segment, p.now))
	default:
		p.flow = flow{state: rule.StateInvalid}
		// An error goes to whoever sent the packet that it quotes, or it is a lie.
		if quote, ok := p.ip.Quote(); ok && quote.Src() == p.ip.Dst() {
			if t, ok := quote.Tuple(); ok {
				p.flow = flowOf(g.conns.Related(t, p.now))
			}
			// A redirect speaks of the other side's routes: after translation it would be nonsense (nf_nat drops it too).
			if c := p.flow.conn; c != nil && c.Translated() && p.ip.Is4() && p.ip.Payload()[0] == frame.ICMPRedirect {
				p.flow = flow{state: rule.StateInvalid}
			}
		}
	}
}

// confirm puts a new connection into the table, or refuses the packet.
func (g *Gateway) confirm(p *packet, h trace.Hook) bool {
	if r := g.enter(p); r != trace.NoReason {
		g.refuse(p, h, r)
		return false
	}
	return true
}

// enter puts a new connection into the table, or says why not.
func (g *Gateway) enter(p *packet) trace.Reason {
	if !p.flow.first {
		return trace.NoReason
	}
	f, refusal := g.conns.Confirm(p.flow.conn, p.segment, p.now)
	switch refusal {
	case conntrack.Taken:
		g.conns.Abandon(p.flow.conn)
		return trace.NATNoPort
	case conntrack.Full:
		g.conns.Abandon(p.flow.conn)
		return trace.SourceLimit
	}
	p.flow = flowOf(f)
	g.arm(p.now.Add(conntrack.SweepInterval))
	return trace.NoReason
}

// translateDestination is PREROUTING's part, and OUTPUT's. It drops nothing: iptables has no DROP in the nat table.
func (g *Gateway) translateDestination(p *packet, v *view, h trace.Hook) {
	c := p.flow.conn
	if c == nil || p.flow.verbatim {
		if p.j.On() && h == trace.Prerouting {
			p.emit(p.event(h, trace.Accept, trace.ConnUntracked))
		}
		return
	}
	var d rule.Decision
	if p.flow.first && !v.keeps(p) {
		d = g.evaluate(p, rule.NAT, h)
		g.chooseDestination(p, v, d)
	}
	before, target := p.tuple, c.Target(p.flow.dir)
	if p.flow.state == rule.StateRelated {
		p.rewriteError(target)
	} else if p.tuple.DstIP != target.DstIP || p.tuple.DstPort != target.DstPort {
		p.rewrite(p.tuple.SrcIP, p.tuple.SrcPort, target.DstIP, target.DstPort)
	}
	if p.j.On() && (h == trace.Prerouting || p.tuple != before) {
		p.emitTranslation(h, before, d, p.destinationNote(before))
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
			g.conns.Abandon(c)
			g.refuse(p, h, r)
			return false
		}
	}
	before, target := p.tuple, c.Target(p.flow.dir)
	if p.flow.state == rule.StateRelated {
		p.rewriteErrorSource(c, target)
	} else if p.tuple.SrcIP != target.SrcIP || p.tuple.SrcPort != target.SrcPort {
		p.rewrite(target.SrcIP, target.SrcPort, p.tuple.DstIP, p.tuple.DstPort)
	}
	if p.j.On() && (p.tuple != before || p.flow.first && h == trace.Postrouting) {
		note := trace.NoRuleChanged
		switch {
		case p.flow.dir == conntrack.Reply:
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
	p.emit(e)
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
	case f.dir == conntrack.Reply && changed:
		return trace.ReplyTranslated
	case f.dir == conntrack.Reply:
		return trace.ConnReply
	case changed:
		return trace.SameTranslation
	}
	return trace.ConnOriginal
}

package nat

import (
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// input takes a packet that ends at the gateway: netfilter's INPUT, and then what a host does with it.
func (g *Gateway) input(p *packet) {
	if !g.filter(p, rule.Mangle, trace.Input) || !g.filter(p, rule.Filter, trace.Input) || !g.translateSource(p, trace.Input) || !g.confirm(p, trace.Input) {
		return
	}
	switch {
	case p.ip.IsLinkSignal():
		g.inputLink(p)
		return
	case p.toMany() && !p.answersGroup():
		g.drop(p, trace.Input, trace.NoGroup) // RFC 1122 3.2.2: what was said to all is not answered
		return
	case g.deliver(p):
		return
	case p.ip.IsICMP():
		g.inputICMP(p)
		return
	}
	switch p.ip.Proto() {
	case frame.ProtoTCP:
		g.drop(p, trace.Input, trace.NoSocket)
		g.reset(p)
	case frame.ProtoUDP:
		g.refuse(p, trace.Input, trace.NoSocket)
	default:
		g.refuse(p, trace.Input, trace.NoProto)
	}
}

// answersGroup reports whether a packet to a group is one that each of it answers: a ping, in IPv6 (RFC 4443 4.2).
func (p *packet) answersGroup() bool {
	dst := p.ip.Dst()
	return !p.ip.Is4() && p.ip.IsICMPQuestion() && p.in != nil && (dst == frame.AllNodes || dst == frame.AllRouters)
}

// inputICMP answers an echo request (RFC 1122 3.2.2.6, RFC 4443 4.2). The reply is made of the request's own bytes.
func (g *Gateway) inputICMP(p *packet) {
	m := frame.ICMP(p.ip.Payload())
	if t := m.Type(); t != frame.ICMPEcho && t != frame.ICMPv6Echo || !p.ip.IsICMPQuestion() {
		g.drop(p, trace.Input, trace.Unanswered)
		return
	}
	if !g.errors.allowEcho(p.now.Sub(g.epoch)) {
		g.drop(p, trace.Input, trace.Limited)
		return
	}
	if p.j.On() {
		e := p.event(trace.Input, trace.Consume, trace.EchoAnswered)
		e.Addr = p.ip.Dst()
		p.emit(e)
	}
	from, to := p.ip.Dst(), p.ip.Src()
	if p.answersGroup() {
		from = p.in.sourceFor(to, to)
	}
	p.ip.SetAddrs(from, to)
	p.ip.SetTTL(defaultTTL)
	p.ip.SetChecksum()
	if p.ip.TurnEcho(); from != p.tuple.Dst() {
		p.ip.SetICMPChecksum()
	}
	g.send(&packet{f: p.f, now: p.now, link: p.in})
}

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
	if p.toMany() {
		g.drop(p, trace.Input, trace.NoGroup) // RFC 1122 3.2.2: what was said to all is not answered
		return
	}
	if g.deliver(p) {
		return
	}
	switch p.ip.Proto() {
	case frame.ProtoICMP:
		g.inputICMP(p)
	case frame.ProtoTCP:
		g.drop(p, trace.Input, trace.NoSocket)
		g.reset(p)
	case frame.ProtoUDP:
		g.refuse(p, trace.Input, trace.NoSocket)
	default:
		g.refuse(p, trace.Input, trace.NoProto)
	}
}

// inputICMP answers an echo request (RFC 1122 3.2.2.6). The reply is made of the request's own bytes.
func (g *Gateway) inputICMP(p *packet) {
	m := frame.ICMP(p.ip.Payload())
	if m.Type() != frame.ICMPEcho {
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
	p.ip.SetAddrs(p.ip.Dst(), p.ip.Src())
	p.ip.SetTTL(defaultTTL)
	p.ip.SetChecksum()
	m.TurnEcho()
	g.send(&packet{f: p.f, now: p.now})
}

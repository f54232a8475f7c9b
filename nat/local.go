package nat

import (
	"uswitch/nat/conntrack"
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

// defaultTTL is net.ipv4.ip_default_ttl.
const defaultTTL = 64

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

// reset answers a TCP segment that nobody wants with a RST, but never a RST (RFC 9293 3.10.7.1), nor what was said to all.
func (g *Gateway) reset(p *packet) {
	if p.segment.Flags&frame.RST != 0 || p.toMany() {
		return
	}
	answer, q := p.tuple.Reply(), packet{now: p.now}
	if c, back := p.flow.conn, p.flow.dir.Other(); c != nil && (p.flow.first || answer != c.Tuples[back]) {
		// The connection never came about, or the packet was stopped halfway through its translation: the table would not
		// know the answer. So it is written as the sender expects it.
		answer = c.Tuples[p.flow.dir].Reply()
		q.flow = flow{conn: c, dir: back, state: rule.StateEstablished, verbatim: true}
	}
	b := make([]byte, frame.EthernetHeader+frame.IPv4Header+frame.TCPHeader)
	ip := b[frame.EthernetHeader:]
	frame.PutTCP(ip[frame.IPv4Header:], resetOf(answer, p.segment)).SetChecksum(answer.Src(), answer.Dst())
	frame.PutIPv4(ip, frame.ProtoTCP, defaultTTL, uint16(g.forged.Add(1)), answer.Src(), answer.Dst())
	q.f = frame.Frame{Data: b}
	g.send(&q)
}

// resetOf returns the reset that answers a segment (RFC 9293 3.10.7.1).
func resetOf(answer frame.Tuple, s conntrack.Segment) frame.TCPFields {
	rst := frame.TCPFields{SrcPort: answer.SrcPort, DstPort: answer.DstPort, Flags: frame.RST}
	if s.Flags&frame.ACK != 0 {
		rst.Seq = s.Ack
	} else {
		rst.Ack, rst.Flags = s.End, frame.RST|frame.ACK
	}
	return rst
}

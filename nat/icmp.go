package nat

import (
	"net/netip"
	"time"

	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// refuse drops a packet and tells its sender why, where the reason has a message (RFC 1812 4.3.3, 5.2.7).
func (g *Gateway) refuse(p *packet, h trace.Hook, r trace.Reason) {
	g.drop(p, h, r)
	if icmpType, code, ok := message(r); ok {
		g.sendError(p, icmpType, code)
	}
}

// message returns the ICMP message that goes with a reason.
func message(r trace.Reason) (icmpType, code uint8, ok bool) {
	switch r {
	case trace.TTLExpired:
		return frame.ICMPTimeExceeded, 0, true
	case trace.FragTimeout:
		return frame.ICMPTimeExceeded, 1, true
	case trace.FragNeeded:
		return frame.ICMPUnreachable, frame.UnreachableTooBig, true
	case trace.NoRoute, trace.NoUplink, trace.UplinkClosed:
		return frame.ICMPUnreachable, frame.UnreachableNet, true
	case trace.NeighFailed, trace.NeighRemoved, trace.Unreachable, trace.UplinkForbid:
		return frame.ICMPUnreachable, frame.UnreachableHost, true
	case trace.NoProto, trace.UplinkProto:
		return frame.ICMPUnreachable, frame.UnreachableProtocol, true
	case trace.NoSocket, trace.Refused:
		return frame.ICMPUnreachable, frame.UnreachablePort, true
	case trace.SourceLimit, trace.NATNoPort, trace.HostForbidden, trace.HostUnknown, trace.NoMem, trace.NoICMPSocket:
		return frame.ICMPUnreachable, frame.UnreachableAdmin, true // RFC 5508 REQ-8
	case trace.IPOptions:
		return frame.ICMPParamProblem, 0, true
	}
	return 0, 0, false
}

// reject answers for a REJECT rule; 0 means that there is nothing to answer.
func (g *Gateway) reject(p *packet, with rule.Reject) {
	if with == rule.RejectReset && p.tuple.Proto == frame.ProtoTCP {
		g.reset(p)
	} else if code, ok := with.Code(); ok {
		g.sendError(p, frame.ICMPUnreachable, code)
	}
}

// errorEnds returns from whom and to whom an error about a packet goes, as its sender knows the two.
func (g *Gateway) errorEnds(p *packet) (from, to netip.Addr) {
	sender, receiver := p.ip.Src(), p.ip.Dst()
	if c := p.flow.conn; c != nil && p.hasTuple {
		sender, receiver = c.Tuples[p.flow.dir].Src(), c.Tuples[p.flow.dir].Dst()
	}
	switch {
	case g.view.Load().local[p.ip.Dst()] != nil:
		return receiver, sender
	case p.in == nil: // a program of the gateway's own is told as over a loopback
		return sender, sender
	}
	return p.in.Addr().Addr(), sender
}

// newError makes an ICMP error about a packet, behind room for its headers.
func newError(e frame.ICMPError, about frame.IPv4) (b []byte, message frame.ICMP) {
	const before = frame.EthernetHeader + frame.IPv4Header
	b = e.Append(make([]byte, before, before+frame.ICMPHeader+len(about)), about)
	return b, frame.ICMP(b[before:])
}

// sendError tells the sender of a packet what became of it, with as much of the packet as fits, as the sender sent it. It does
// so from the address that the packet was sent to, if that is the gateway's own, and else from that of the interface that it
// came in by (as Linux does: icmp_send in net/ipv4/icmp.c). RFC 1812 4.3.2.7 lists whom nothing is told.
func (g *Gateway) sendError(p *packet, icmpType, code uint8) {
	m, isICMP := frame.ParseICMP(p.ip.Payload())
	switch {
	case p.in == nil && !g.awaits(p), p.in != nil && !p.in.Addr().IsValid(), p.toMany(), p.ip.FragmentOffset() != 0:
		return
	case p.ip.Proto() == frame.ProtoICMP && (!isICMP || !m.IsQuery()):
		return
	case icmpType != frame.ICMPUnreachable || code != frame.UnreachableTooBig:
		if !g.errors.allow(p.f.Source, p.ip.Src(), p.now.Sub(g.epoch)) {
			g.tracer.Count(trace.Limited)
			return
		}
	}
	said := frame.ICMPError{Type: icmpType, Code: code}
	switch {
	case icmpType == frame.ICMPParamProblem:
		_, at := checkOptions(p.ip)
		said.Pointer = uint8(at)
	case icmpType == frame.ICMPUnreachable && code == frame.UnreachableTooBig:
		said.MTU = uint16(min(p.out.config.MTU, 65535))
	}
	b, message := newError(said, p.ip)
	if c := p.flow.conn; c != nil && p.hasTuple {
		frame.Rewrite(frame.IPv4(message.Payload()), p.tuple, c.Tuples[p.flow.dir], p.partial())
	}
	message.SetChecksum()
	from, to := g.errorEnds(p)
	frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoICMP, defaultTTL, uint16(g.ipID.Add(1)), from, to)
	answer := packet{f: frame.Frame{Data: b}, now: p.now, flow: flow{verbatim: true, state: rule.StateInvalid}}
	if p.flow.conn != nil {
		answer.flow = flow{conn: p.flow.conn, dir: p.flow.dir.Other(), state: rule.StateRelated, verbatim: true}
	}
	g.send(&answer)
}

// Failure is what became of a packet that had left by an uplink which has no stack of its own: the machine's says it.
type Failure struct {
	Type, Code uint8      // of the ICMP error
	MTU        uint16     // in bytes, where it says that the packet is too big
	Packet     frame.IPv4 // as it left, from its IP header on, as far as known: at least its ports. It is borrowed.
}

// Undelivered tells the sender of a packet what the machine says of it. On a Docker host the machine and the gateway are one:
// the error is the gateway's own, from the address and within the limits of those that it writes itself (see sendError). About
// a packet of which no connection is known there is nobody to tell.
func (g *Gateway) Undelivered(f Failure, now time.Time) {
	t, ok := frame.TupleOf(f.Packet)
	if !ok {
		return
	}
	about := flowOf(g.conns.Related(t, now))
	if about.conn == nil {
		g.tracer.Count(trace.NoConnForICMP)
		return
	}
	sent, source := about.conn.Tuples[about.dir.Other()], uint64(0)
	if about.dir == conntrack.Reply {
		source = about.conn.Source
	}
	from, ok := g.errorSource(sent.Src(), sent.Dst())
	if !ok {
		return
	}
	tooBig := f.Type == frame.ICMPUnreachable && f.Code == frame.UnreachableTooBig
	if !tooBig && !g.errors.allow(source, sent.Src(), now.Sub(g.epoch)) {
		g.tracer.Count(trace.Limited)
		return
	}
	said := frame.ICMPError{Type: f.Type, Code: f.Code}
	if tooBig {
		said.MTU = f.MTU
	}
	b, message := newError(said, f.Packet)
	frame.Rewrite(frame.IPv4(message.Payload()), t, sent, false)
	message.SetChecksum()
	frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoICMP, defaultTTL, uint16(g.ipID.Add(1)), from, sent.Src())
	g.send(&packet{f: frame.Frame{Data: b}, now: now, machine: true,
		flow: flow{conn: about.conn, dir: about.dir, state: rule.StateRelated, verbatim: true}})
}

// errorSource returns from where the gateway tells a sender about its packet to receiver.
func (g *Gateway) errorSource(sender, receiver netip.Addr) (from netip.Addr, ok bool) {
	if g.view.Load().local[receiver] != nil {
		return receiver, true
	}
	return g.Source(sender)
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
	frame.PutIPv4(ip, frame.ProtoTCP, defaultTTL, uint16(g.ipID.Add(1)), answer.Src(), answer.Dst())
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

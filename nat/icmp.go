package nat

import (
	"net/netip"
	"time"

	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// refuse drops a packet and tells its sender why, where the reason has a message (RFC 1812 4.3.3, 5.2.7; RFC 4443 3).
func (g *Gateway) refuse(p *packet, h trace.Hook, r trace.Reason) {
	g.drop(p, h, r)
	message := message4
	if p.ip != nil && !p.ip.Is4() {
		message = message6
	}
	if icmpType, code, ok := message(r); ok {
		g.sendError(p, icmpType, code)
	}
}

// message6 returns the ICMPv6 message that goes with a reason.
func message6(r trace.Reason) (icmpType, code uint8, ok bool) {
	switch r {
	case trace.TTLExpired:
		return frame.ICMPv6TimeExceeded, 0, true
	case trace.FragTimeout:
		return frame.ICMPv6TimeExceeded, 1, true
	case trace.FragNeeded:
		return frame.ICMPv6TooBig, 0, true
	case trace.BeyondScope:
		return frame.ICMPv6Unreachable, frame.Unreachable6Scope, true
	case trace.NoRoute, trace.NoUplink, trace.UplinkClosed:
		return frame.ICMPv6Unreachable, frame.Unreachable6NoRoute, true
	case trace.NeighFailed, trace.NeighRemoved, trace.Unreachable, trace.UplinkForbid:
		return frame.ICMPv6Unreachable, frame.Unreachable6Address, true
	case trace.NoProto, trace.UplinkProto:
		return frame.ICMPv6ParamProblem, unknownHeader, true
	case trace.NoSocket, trace.Refused:
		return frame.ICMPv6Unreachable, frame.Unreachable6Port, true
	case trace.SourceLimit, trace.NATNoPort, trace.HostForbidden, trace.HostUnknown, trace.NoMem, trace.NoICMPSocket:
		return frame.ICMPv6Unreachable, frame.Unreachable6Admin, true
	case trace.IPOptions, trace.SourceRoute:
		return frame.ICMPv6ParamProblem, 0, true
	}
	return 0, 0, false
}

// message4 returns the ICMP message that goes with a reason.
func message4(r trace.Reason) (icmpType, code uint8, ok bool) {
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
	} else if code, ok := with.Code(); ok && p.ip.Is4() {
		g.sendError(p, frame.ICMPUnreachable, code)
	} else if ok {
		g.sendError(p, frame.ICMPv6Unreachable, code)
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
	if !p.ip.Is4() {
		return p.in.sourceFor(sender, sender), sender
	}
	return p.in.Addr().Addr(), sender
}

// newError makes an ICMP error about a packet, behind room for its headers.
func newError(e frame.ICMPError, about frame.IP) (b []byte, quoted frame.IP) {
	before := frame.EthernetHeader + frame.FixedHeader(about.Src())
	b = make([]byte, before, before+frame.ICMPHeader+len(about))
	if about.Is4() {
		b = e.Append(b, about)
	} else {
		b = e.AppendV6(b, about)
	}
	return b, frame.IP(b[before+frame.ICMPHeader:])
}

// finishError writes the header of an ICMP error, and its checksum.
func (g *Gateway) finishError(b []byte, from, to netip.Addr) {
	frame.PutIP(b[frame.EthernetHeader:], frame.ProtoICMPOf(to), defaultTTL, uint16(g.ipID.Add(1)), from, to).SetICMPChecksum()
}

// tooBig reports whether an error tells how large a packet may be: it is never withheld, since path MTU discovery needs each.
func tooBig(icmpType, code uint8, is4 bool) bool {
	if !is4 {
		return icmpType == frame.ICMPv6TooBig
	}
	return icmpType == frame.ICMPUnreachable && code == frame.UnreachableTooBig
}

// sendError tells the sender of a packet what became of it, with as much of the packet as fits, as the sender sent it. It does
// so from the address that the packet was sent to, if that is the gateway's own, and else from that of the interface that it
// came in by (as Linux does: icmp_send in net/ipv4/icmp.c). RFC 1812 4.3.2.7 and RFC 4443 2.4 list whom nothing is told.
func (g *Gateway) sendError(p *packet, icmpType, code uint8) {
	tooBig := tooBig(icmpType, code, p.ip.Is4())
	switch {
	case p.in == nil && !g.awaits(p), p.in != nil && !p.in.speaks(p.ip), p.ip.FragmentOffset() != 0, p.ip.Src().IsUnspecified():
		return
	case p.toMany() && (p.ip.Is4() || !tooBig):
		return
	case p.ip.IsICMP() && !p.ip.IsICMPQuery():
		return
	case !tooBig:
		if !g.errors.allow(p.f.Source, p.ip.Src(), p.now.Sub(g.epoch)) {
			g.tracer.Count(trace.Limited)
			return
		}
	}
	said := frame.ICMPError{Type: icmpType, Code: code}
	switch {
	case p.ip.Is4() && icmpType == frame.ICMPParamProblem, icmpType == frame.ICMPv6ParamProblem && !p.ip.Is4():
		said = p.paramProblem(said)
	case tooBig:
		said.MTU = uint16(min(p.out.config.MTU, 65535))
	}
	b, quoted := newError(said, p.ip)
	if c := p.flow.conn; c != nil && p.hasTuple {
		quoted.Rewrite(p.tuple, c.Tuples[p.flow.dir], p.partial())
	}
	from, to := g.errorEnds(p)
	if !from.IsValid() {
		return
	}
	g.finishError(b, from, to)
	answer := packet{f: frame.Frame{Data: b}, now: p.now, link: p.in, flow: flow{verbatim: true, state: rule.StateInvalid}}
	if p.flow.conn != nil {
		answer.flow = flow{conn: p.flow.conn, dir: p.flow.dir.Other(), state: rule.StateRelated, verbatim: true}
	}
	g.send(&answer)
}

// paramProblem says where in the packet the problem is: in front of the transport, or its very number.
func (p *packet) paramProblem(e frame.ICMPError) frame.ICMPError {
	r, code, at := checkHeaders(p.ip)
	if r == trace.NoReason {
		at = frame.IPv6(p.ip).NextHeaderAt()
		code = e.Code
	}
	e.Code, e.Pointer = code, uint16(at)
	return e
}

// Failure is what became of a packet that had left by an uplink which has no stack of its own: the machine's says it.
type Failure struct {
	Type, Code uint8    // of the ICMP error, in the packet's family
	MTU        uint16   // in bytes, where it says that the packet is too big
	Packet     frame.IP // as it left, from its IP header on, as far as known: at least its ports. It is borrowed.
}

// Undelivered tells the sender of a packet what the machine says of it. On a Docker host the machine and the gateway are one:
// the error is the gateway's own, from the address and within the limits of those that it writes itself (see sendError). About
// a packet of which no connection is known there is nobody to tell.
func (g *Gateway) Undelivered(f Failure, now time.Time) {
	t, ok := f.Packet.Tuple()
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
	tooBig := tooBig(f.Type, f.Code, f.Packet.Is4())
	if !tooBig && !g.errors.allow(source, sent.Src(), now.Sub(g.epoch)) {
		g.tracer.Count(trace.Limited)
		return
	}
	said := frame.ICMPError{Type: f.Type, Code: f.Code}
	if tooBig {
		said.MTU = f.MTU
	}
	b, quoted := newError(said, f.Packet)
	quoted.Rewrite(t, sent, false)
	g.finishError(b, from, sent.Src())
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
	src, dst := answer.Src(), answer.Dst()
	b := make([]byte, frame.EthernetHeader+frame.FixedHeader(src)+frame.TCPHeader)
	ip := b[frame.EthernetHeader:]
	frame.PutTCP(ip[frame.FixedHeader(src):], resetOf(answer, p.segment)).SetChecksum(src, dst)
	frame.PutIP(ip, frame.ProtoTCP, defaultTTL, uint16(g.ipID.Add(1)), src, dst)
	q.f, q.link = frame.Frame{Data: b}, p.in
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

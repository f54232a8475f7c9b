package nat

import (
	"net/netip"

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
	case trace.SourceLimit, trace.TableFull, trace.NATNoPort, trace.HostForbidden, trace.HostUnknown, trace.NoMem, trace.NoICMPSocket:
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
	case p.in == nil && !g.hears(p), p.in != nil && !p.in.Addr().IsValid(), p.toMany(), p.ip.FragmentOffset() != 0:
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
	frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoICMP, defaultTTL, uint16(g.forged.Add(1)), from, to)
	answer := packet{f: frame.Frame{Data: b}, now: p.now, flow: flow{verbatim: true, state: rule.StateInvalid}}
	if p.flow.conn != nil {
		answer.flow = flow{conn: p.flow.conn, dir: p.flow.dir.Other(), state: rule.StateRelated, verbatim: true}
	}
	g.send(&answer)
}

package nat

import (
	"uswitch/nat/conntrack"
	"uswitch/switch/frame"
)

// rewrite changes the packet's addresses and ports, and each checksum by the difference (RFC 1624). The identifier of ICMP is
// the port of both ends: whichever changes, both do.
func (p *packet) rewrite(src frame.Addr, srcPort uint16, dst frame.Addr, dstPort uint16) {
	if p.tuple.Proto == frame.ProtoICMP {
		if srcPort == p.tuple.SrcPort {
			srcPort = dstPort
		}
		dstPort = srcPort
	}
	after := frame.Tuple{SrcIP: src, DstIP: dst, SrcPort: srcPort, DstPort: dstPort, Proto: p.tuple.Proto}
	frame.Rewrite(p.ip, p.tuple, after, p.partial())
	p.tuple = after
}

// quotedPacket returns the packet that an ICMP error is about, as far as the error quotes it. The checksum of the quoted header
// must be right (RFC 5508 REQ-3b), the transport's may be cut off.
func quotedPacket(ip frame.IPv4) (frame.IPv4, bool) {
	if ip.Proto() != frame.ProtoICMP {
		return nil, false
	}
	m, ok := frame.ParseICMP(ip.Payload())
	if !ok {
		return nil, false
	}
	quote, ok := m.Quote()
	return quote, ok && quote.ChecksumOK()
}

// rewriteError translates an ICMP error inside out (RFC 5508 REQ-4, REQ-5): the quoted packet becomes what its sender
// sent, and the error goes to that sender. target is what an ordinary packet in this direction would become.
func (p *packet) rewriteError(target frame.Tuple) {
	quote, ok := quotedPacket(p.ip)
	if !ok {
		return
	}
	if inner, ok := frame.TupleOf(quote); ok {
		frame.Rewrite(quote, inner, target.Reply(), false)
	}
	p.rewriteAddresses(p.tuple.SrcIP, target.DstIP)
	frame.ICMP(p.ip.Payload()).SetChecksum()
}

// rewriteErrorSource hides an inside address from which an error comes, if the connection's answers hide it too.
func (p *packet) rewriteErrorSource(c *conntrack.Conn, target frame.Tuple) {
	if c.Tuples[p.flow.dir].SrcIP == p.tuple.SrcIP {
		p.rewriteAddresses(target.SrcIP, p.tuple.DstIP)
	}
}

func (p *packet) rewriteAddresses(src, dst frame.Addr) {
	after := p.tuple
	after.SrcIP, after.DstIP = src, dst
	p.ip.SetAddrs(after.Src(), after.Dst())
	p.tuple = after
}

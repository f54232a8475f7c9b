package nat

import (
	"uswitch/nat/conntrack"
	"uswitch/switch/frame"
)

// rewrite changes the packet's addresses and ports, and each checksum by the difference (RFC 1624). The identifier of ICMP is
// the port of both ends: whichever changes, both do.
func (p *packet) rewrite(src frame.Addr, srcPort uint16, dst frame.Addr, dstPort uint16) {
	if frame.IsICMP(p.tuple.Proto) {
		if srcPort == p.tuple.SrcPort {
			srcPort = dstPort
		}
		dstPort = srcPort
	}
	after := frame.Tuple{SrcIP: src, DstIP: dst, SrcPort: srcPort, DstPort: dstPort, Proto: p.tuple.Proto}
	p.ip.Rewrite(p.tuple, after, p.partial())
	p.tuple = after
}

// rewriteError translates an ICMP error inside out (RFC 5508 REQ-4, REQ-5): the quoted packet becomes what its sender
// sent, and the error goes to that sender. target is what an ordinary packet in this direction would become.
func (p *packet) rewriteError(target frame.Tuple) {
	quote, ok := p.ip.Quote()
	if !ok {
		return
	}
	if inner, ok := quote.Tuple(); ok {
		quote.Rewrite(inner, target.Reply(), false)
	}
	p.rewriteAddresses(p.tuple.SrcIP, target.DstIP)
	p.ip.SetICMPChecksum()
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
	if !p.ip.Is4() {
		p.ip.SetICMPChecksum()
	}
	p.tuple = after
}

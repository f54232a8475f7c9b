package nat

import (
	"encoding/binary"
	"hash/crc32"

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
	rewriteTuple(p.ip, p.tuple, after, p.partial())
	p.tuple = after
}

// rewriteTuple turns a packet with the tuple before into one with the tuple after. The packet may be a quotation that is cut
// short: what is not there is not changed. With partial, the transport checksum holds only the pseudo-header's sum, not
// complemented, and stays that way.
func rewriteTuple(ip frame.IPv4, before, after frame.Tuple, partial bool) {
	sum := binary.BigEndian.Uint16(ip[10:])
	sum = frame.UpdateChecksumAddr(sum, before.SrcIP, after.SrcIP)
	sum = frame.UpdateChecksumAddr(sum, before.DstIP, after.DstIP)
	binary.BigEndian.PutUint16(ip[10:], sum)
	after.SrcIP.Put(ip[12:16])
	after.DstIP.Put(ip[16:20])
	if ip.FragmentOffset() != 0 {
		return
	}
	payload := ip[min(ip.HeaderLen(), len(ip)):]
	switch ip.Proto() {
	case frame.ProtoTCP:
		rewritePorts(payload, 16, before, after, partial)
	case frame.ProtoUDP, frame.ProtoUDPLite, frame.ProtoDCCP: // UDP-Lite's and DCCP's stand where UDP's does (RFC 3828 3.1, RFC 4340 5.1)
		rewritePorts(payload, 6, before, after, partial)
	case frame.ProtoSCTP:
		rewriteSCTP(payload, after)
	case frame.ProtoICMP:
		rewriteID(payload, before, after, partial)
	}
}

// rewritePorts does TCP and UDP, whose checksum stands at an offset and covers the addresses too.
func rewritePorts(b []byte, checksumAt int, before, after frame.Tuple, partial bool) {
	if len(b) < 4 {
		return
	}
	binary.BigEndian.PutUint16(b[0:], after.SrcPort)
	binary.BigEndian.PutUint16(b[2:], after.DstPort)
	if len(b) < checksumAt+2 {
		return
	}
	field := b[checksumAt:]
	sum := binary.BigEndian.Uint16(field)
	if before.Proto == frame.ProtoUDP && sum == 0 && !partial {
		return // the sender computed none
	}
	if partial {
		sum = ^sum
	}
	sum = frame.UpdateChecksumAddr(sum, before.SrcIP, after.SrcIP)
	sum = frame.UpdateChecksumAddr(sum, before.DstIP, after.DstIP)
	if partial {
		binary.BigEndian.PutUint16(field, ^sum)
		return
	}
	sum = frame.UpdateChecksum(sum, before.SrcPort, after.SrcPort)
	sum = frame.UpdateChecksum(sum, before.DstPort, after.DstPort)
	if sum == 0 && before.Proto == frame.ProtoUDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(field, sum)
}

// castagnoli is the polynomial of SCTP's checksum (RFC 9260 appendix A).
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// rewriteSCTP writes the ports and computes the checksum anew, as the kernel does (sctp_manip_pkt): a CRC of the whole packet,
// which does not cover the addresses. One that was wrong stays wrong, and that of a quotation that is cut short stays.
func rewriteSCTP(b []byte, after frame.Tuple) {
	if len(b) < 4 {
		return
	}
	whole := len(b) >= sctpHeader && sctpChecksum(b) == binary.LittleEndian.Uint32(b[8:])
	binary.BigEndian.PutUint16(b[0:], after.SrcPort)
	binary.BigEndian.PutUint16(b[2:], after.DstPort)
	if whole {
		binary.LittleEndian.PutUint32(b[8:], sctpChecksum(b))
	}
}

// sctpHeader is the length of SCTP's common header, in bytes (RFC 9260 3.1).
const sctpHeader = 12

// sctpChecksum computes the checksum of a packet, whose own field counts as zero.
func sctpChecksum(b []byte) uint32 {
	sum := crc32.Update(0, castagnoli, b[:8])
	sum = crc32.Update(sum, castagnoli, zeros[:])
	return crc32.Update(sum, castagnoli, b[sctpHeader:])
}

var zeros [4]byte

// rewriteID does ICMP queries, whose checksum does not cover the addresses.
func rewriteID(b []byte, before, after frame.Tuple, partial bool) {
	if len(b) < frame.ICMPHeader || before.SrcPort == after.SrcPort {
		return
	}
	binary.BigEndian.PutUint16(b[4:], after.SrcPort)
	if !partial {
		sum := frame.UpdateChecksum(binary.BigEndian.Uint16(b[2:]), before.SrcPort, after.SrcPort)
		binary.BigEndian.PutUint16(b[2:], sum)
	}
}

// quotedPacket returns the packet that an ICMP error is about, as far as the error quotes it. Its length field speaks of
// the whole packet, so ParseIPv4 would not take it; the header's own checksum must be right (RFC 5508 REQ-3b), the
// transport's may be cut off.
func quotedPacket(ip frame.IPv4) (frame.IPv4, bool) {
	if ip.Proto() != frame.ProtoICMP {
		return nil, false
	}
	m, ok := frame.ParseICMP(ip.Payload())
	if !ok || !m.IsError() {
		return nil, false
	}
	quote := frame.IPv4(m.Payload())
	if len(quote) < frame.IPv4Header || quote[0]>>4 != 4 {
		return nil, false
	}
	header := quote.HeaderLen()
	if header < frame.IPv4Header || len(quote) < header+8 || !quote.ChecksumOK() {
		return nil, false
	}
	return quote, true
}

// rewriteError translates an ICMP error inside out (RFC 5508 REQ-4, REQ-5): the quoted packet becomes what its sender
// sent, and the error goes to that sender. target is what an ordinary packet in this direction would become.
func (p *packet) rewriteError(target frame.Tuple) {
	quote, ok := quotedPacket(p.ip)
	if !ok {
		return
	}
	if inner, ok := frame.TupleOf(quote); ok {
		rewriteTuple(quote, inner, target.Reply(), false)
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
	sum := binary.BigEndian.Uint16(p.ip[10:])
	sum = frame.UpdateChecksumAddr(sum, p.tuple.SrcIP, src)
	sum = frame.UpdateChecksumAddr(sum, p.tuple.DstIP, dst)
	binary.BigEndian.PutUint16(p.ip[10:], sum)
	src.Put(p.ip[12:16])
	dst.Put(p.ip[16:20])
	p.tuple = after
}

package frame

import (
	"encoding/binary"
	"hash/crc32"
)

// Rewrite turns a packet with the tuple before into one with the tuple after, and changes each checksum by the difference
// (RFC 1624). The packet may be a quotation that is cut short: what is not there is not changed. With partial, the transport
// checksum holds only the pseudo-header's sum, not complemented, and stays that way.
func Rewrite(p IPv4, before, after Tuple, partial bool) {
	binary.BigEndian.PutUint16(p[10:], updateAddrs(binary.BigEndian.Uint16(p[10:]), before, after))
	after.SrcIP.Put(p[12:16])
	after.DstIP.Put(p[16:20])
	if p.FragmentOffset() != 0 {
		return
	}
	payload := p[min(p.HeaderLen(), len(p)):]
	switch p.Proto() {
	case ProtoTCP:
		rewritePorts(payload, TCPChecksum, before, after, partial)
	case ProtoUDP, ProtoUDPLite, ProtoDCCP: // UDP-Lite's and DCCP's checksums stand where UDP's does (RFC 3828 3.1, RFC 4340 5.1)
		rewritePorts(payload, UDPChecksum, before, after, partial)
	case ProtoSCTP:
		rewriteSCTP(payload, after)
	case ProtoICMP:
		rewriteID(payload, before, after, partial)
	}
}

// rewritePorts does TCP and UDP, whose checksum stands at an offset and covers the addresses too.
func rewritePorts(b []byte, checksumAt int, before, after Tuple, partial bool) {
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
	if before.Proto == ProtoUDP && sum == 0 && !partial {
		return // the sender computed none
	}
	if partial {
		binary.BigEndian.PutUint16(field, ^updateAddrs(^sum, before, after))
		return
	}
	sum = updateAddrs(sum, before, after)
	sum = UpdateChecksum(sum, before.SrcPort, after.SrcPort)
	sum = UpdateChecksum(sum, before.DstPort, after.DstPort)
	if before.Proto == ProtoUDP {
		sum = notZero(sum)
	}
	binary.BigEndian.PutUint16(field, sum)
}

// updateAddrs returns a checksum that covers the addresses of a tuple after they have changed.
func updateAddrs(sum uint16, before, after Tuple) uint16 {
	return UpdateChecksumAddr(UpdateChecksumAddr(sum, before.SrcIP, after.SrcIP), before.DstIP, after.DstIP)
}

// sctpHeader is the length of SCTP's common header, in bytes (RFC 9260 3.1).
const sctpHeader = 12

// castagnoli is the polynomial of SCTP's checksum (RFC 9260 appendix A).
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// rewriteSCTP writes the ports and computes the checksum anew, as the kernel does (sctp_manip_pkt): a CRC of the whole packet,
// which does not cover the addresses. One that was wrong stays wrong, and that of a quotation that is cut short stays.
func rewriteSCTP(b []byte, after Tuple) {
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

// sctpChecksum computes the checksum of a packet, whose own field counts as zero.
func sctpChecksum(b []byte) uint32 {
	sum := crc32.Update(0, castagnoli, b[:8])
	sum = crc32.Update(sum, castagnoli, zeros[:])
	return crc32.Update(sum, castagnoli, b[sctpHeader:])
}

var zeros [4]byte

// rewriteID does ICMP queries, whose checksum does not cover the addresses.
func rewriteID(b []byte, before, after Tuple, partial bool) {
	if len(b) < ICMPHeader || before.SrcPort == after.SrcPort {
		return
	}
	binary.BigEndian.PutUint16(b[4:], after.SrcPort)
	if !partial {
		sum := UpdateChecksum(binary.BigEndian.Uint16(b[2:]), before.SrcPort, after.SrcPort)
		binary.BigEndian.PutUint16(b[2:], sum)
	}
}

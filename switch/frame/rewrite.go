package frame

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"net/netip"
)

// Rewrite turns a packet with the tuple before into one with the tuple after, of its own family, and changes each checksum by the
// difference (RFC 1624). The packet may be a quotation that is cut short: what is not there is not changed. With partial, the transport
// checksum holds only the pseudo-header's sum, not complemented, and stays that way.
func (p IP) Rewrite(before, after Tuple, partial bool) {
	if p.Is4() {
		binary.BigEndian.PutUint16(p[10:], updateAddrs(binary.BigEndian.Uint16(p[10:]), before, after))
		after.SrcIP.Put(p[12:16])
		after.DstIP.Put(p[16:20])
	} else {
		after.SrcIP.Put(p[8:24])
		after.DstIP.Put(p[24:40])
	}
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
	case ProtoICMPv6:
		rewriteID(payload, before, after, partial)
		updateICMPv6(payload, before, after)
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

// updateICMPv6 makes the checksum of a message that of its new addresses, which it covers (RFC 4443 2.3).
func updateICMPv6(b []byte, before, after Tuple) {
	if len(b) >= 4 {
		binary.BigEndian.PutUint16(b[2:], updateAddrs(binary.BigEndian.Uint16(b[2:]), before, after))
	}
}

// Checksum returns the Internet checksum (RFC 1071) of b, begun with the partial sum initial (see PseudoHeader): the
// complement of the 16-bit one's complement sum. Over bytes that contain a correct checksum the result is 0.
func Checksum(b []byte, initial uint32) uint16 {
	// One's complement addition is the same in any word size as long as carries come back in (RFC 1071 2.B), so eight
	// bytes are added at a time.
	sum, carry := uint64(initial), uint64(0)
	for len(b) >= 8 {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), carry)
		b = b[8:]
	}
	var tail [8]byte
	copy(tail[:], b)
	sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(tail[:]), carry)
	sum, carry = bits.Add64(sum, 0, carry)
	sum += carry
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>32 + sum&0xffffffff
	return ^fold(uint32(sum))
}

// PseudoHeader returns the partial sum of the pseudo-header that TCP and UDP checksums cover (RFC 9293 3.1): addresses,
// protocol, and length, which counts the transport header and its payload in bytes.
func PseudoHeader(proto uint8, src, dst netip.Addr, length int) uint32 {
	return uint32(proto) + uint32(length) + AddrOf(src).sum() + AddrOf(dst).sum()
}

// sum returns the sum of the address's words as they stand on the wire.
func (a Addr) sum() uint32 {
	if a.Is4() {
		return uint32(a.lo)>>16 + uint32(a.lo)&0xffff
	}
	sum := a.hi>>32 + a.hi&0xffffffff + a.lo>>32 + a.lo&0xffffffff
	sum = sum>>32 + sum&0xffffffff
	return uint32(sum>>16 + sum&0xffff)
}

// UpdateChecksum returns checksum after one 16-bit word that it covers has changed (RFC 1624, equation 3).
func UpdateChecksum(checksum, before, after uint16) uint16 {
	return ^fold(uint32(^checksum) + uint32(^before) + uint32(after))
}

// UpdateChecksum32 is UpdateChecksum for two adjoining words, an IPv4 address for instance.
func UpdateChecksum32(checksum uint16, before, after uint32) uint16 {
	sum := uint32(^checksum) + uint32(^uint16(before>>16)) + uint32(^uint16(before)) + after>>16 + after&0xffff
	return ^fold(sum)
}

func fold(sum uint32) uint16 {
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return uint16(sum)
}

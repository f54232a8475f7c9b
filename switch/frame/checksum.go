package frame

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

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
	s, d := src.As4(), dst.As4()
	sum := uint32(proto) + uint32(length)
	for i := 0; i < 4; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(s[i:])) + uint32(binary.BigEndian.Uint16(d[i:]))
	}
	return sum
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

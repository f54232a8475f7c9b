package frame

import (
	"cmp"
	"encoding/binary"
	"net/netip"
)

// Addr is an IP address of either family as tuples hold it: 16 bytes without a pointer, an IPv4 address mapped (RFC 4291
// 2.5.5.2). netip.Addr is what everybody else uses; but it has 24 bytes and a pointer, and a table of connections with it as
// a key takes a quarter longer to look up. A zone is not part of it. The zero value is the unspecified address of IPv6.
type Addr struct{ hi, lo uint64 }

// mapped is what stands before the four bytes of an IPv4 address.
const mapped = 0xffff << 32

// AddrOf returns the address in this form; the invalid Addr becomes the zero value.
func AddrOf(a netip.Addr) Addr {
	if a.Is4() {
		b := a.As4()
		return addr4(b[:])
	}
	b := a.As16()
	return Addr{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func addr6(b []byte) Addr {
	return Addr{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:16])}
}

func addr4(b []byte) Addr { return Addr{0, mapped | uint64(binary.BigEndian.Uint32(b))} }

// Is4 reports whether it is an IPv4 address.
func (a Addr) Is4() bool { return a.hi == 0 && a.lo>>32 == mapped>>32 }

// IP returns the address as everybody else has it.
func (a Addr) IP() netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[8:], a.lo)
	if a.Is4() {
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	binary.BigEndian.PutUint64(b[:8], a.hi)
	return netip.AddrFrom16(b)
}

// Put writes the address as it stands on the wire into b, which has its length: 4 bytes or 16.
func (a Addr) Put(b []byte) {
	if len(b) == 4 {
		binary.BigEndian.PutUint32(b, uint32(a.lo))
		return
	}
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:16], a.lo)
}

// Compare orders addresses by their numbers, IPv4 before IPv6 but for what begins with ::.
func (a Addr) Compare(b Addr) int { return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo)) }

// Mask clears the bits that a mask of the same family, itself an address, does not have.
func (a Addr) Mask(mask Addr) Addr { return Addr{a.hi & mask.hi, a.lo & mask.lo} }

// Number returns the address as a number: of IPv6 the lower 64 bits.
func (a Addr) Number() uint64 {
	if a.Is4() {
		return a.lo &^ mapped
	}
	return a.lo
}

// Add returns the address n after a; behind the last of its family comes the first.
func (a Addr) Add(n uint64) Addr {
	if a.Is4() {
		return Addr{0, mapped | uint64(uint32(a.lo+n))}
	}
	sum := Addr{a.hi, a.lo + n}
	if sum.lo < a.lo {
		sum.hi++
	}
	return sum
}

// Sub returns how many addresses a is after b, which is of the same family: of IPv6 the lower 64 bits of that.
func (a Addr) Sub(b Addr) uint64 {
	if a.Is4() {
		return uint64(uint32(a.lo - b.lo))
	}
	return a.lo - b.lo
}

// UpdateChecksumAddr returns the checksum that a field has after an address that it covers has changed to another of its
// family (RFC 1624).
func UpdateChecksumAddr(sum uint16, before, after Addr) uint16 {
	sum = UpdateChecksum32(sum, uint32(before.lo), uint32(after.lo))
	if before.hi == after.hi && before.lo>>32 == after.lo>>32 {
		return sum
	}
	sum = UpdateChecksum32(sum, uint32(before.lo>>32), uint32(after.lo>>32))
	sum = UpdateChecksum32(sum, uint32(before.hi), uint32(after.hi))
	return UpdateChecksum32(sum, uint32(before.hi>>32), uint32(after.hi>>32))
}

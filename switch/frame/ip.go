package frame

import (
	"encoding/binary"
	"net/netip"
)

// IP is a view of an IP packet of either family, from the version to the end of the payload: what a router needs to know of
// a packet is the same in both. IPv4 and IPv6 are the views that know the rest.
type IP []byte

// ParseIP returns the view of a whole packet, cut to its length, or one of the errors of ParseIPv4 and ParseIPv6.
func ParseIP(b []byte) (IP, error) {
	if len(b) > 0 && b[0]>>4 == 6 {
		p, err := ParseIPv6(b)
		return IP(p), err
	}
	p, err := ParseIPv4(b)
	return IP(p), err
}

// ParseClippedIP returns the view of a packet whose end may be missing: see ParseClippedIPv4.
func ParseClippedIP(b []byte) (IP, bool) {
	if len(b) > 0 && b[0]>>4 == 6 {
		p, ok := ParseClippedIPv6(b)
		return IP(p), ok
	}
	p, ok := ParseClippedIPv4(b)
	return IP(p), ok
}

// Is4 reports whether it is an IPv4 packet; the other one is IPv6.
func (p IP) Is4() bool { return p[0]>>4 != 6 }

// EtherType returns the type of a frame that carries it.
func (p IP) EtherType() uint16 {
	if p.Is4() {
		return TypeIPv4
	}
	return TypeIPv6
}

// HeaderLen returns the length of all headers in front of the transport's: of IPv4 with options, of IPv6 with extension headers.
func (p IP) HeaderLen() int {
	if p.Is4() {
		return IPv4(p).HeaderLen()
	}
	return IPv6(p).HeaderLen()
}

// TTL returns the time to live, which IPv6 calls hop limit.
func (p IP) TTL() uint8 {
	if p.Is4() {
		return p[8]
	}
	return p[7]
}

// TOS returns the type of service, which IPv6 calls traffic class.
func (p IP) TOS() uint8 {
	if p.Is4() {
		return p[1]
	}
	return p[0]<<4 | p[1]>>4
}

// SetTOS writes it. The checksum of IPv4 is left alone.
func (p IP) SetTOS(tos uint8) {
	if p.Is4() {
		p[1] = tos
		return
	}
	p[0], p[1] = p[0]&0xf0|tos>>4, p[1]&0x0f|tos<<4
}

// Proto returns the protocol of the payload, of IPv6 behind all extension headers.
func (p IP) Proto() uint8 {
	if p.Is4() {
		return p[9]
	}
	return IPv6(p).Proto()
}

// Src returns the source address.
func (p IP) Src() netip.Addr {
	if p.Is4() {
		return IPv4(p).Src()
	}
	return IPv6(p).Src()
}

// Dst returns the destination address.
func (p IP) Dst() netip.Addr {
	if p.Is4() {
		return IPv4(p).Dst()
	}
	return IPv6(p).Dst()
}

// ends returns both addresses as tuples hold them.
func (p IP) ends() (src, dst Addr) {
	if p.Is4() {
		return addr4(p[12:16]), addr4(p[16:20])
	}
	return addr6(p[8:24]), addr6(p[24:40])
}

// Payload returns what follows the headers.
func (p IP) Payload() []byte {
	if p.Is4() {
		return p[int(p[0]&15)*4:]
	}
	return IPv6(p).Payload()
}

// IsFragment reports whether the packet is only a part of one. An IPv6 fragment that has it all is none (RFC 6946).
func (p IP) IsFragment() bool {
	if p.Is4() {
		return IPv4(p).IsFragment()
	}
	return IPv6(p).IsFragment()
}

// FragmentOffset returns where the payload stands in the whole packet's, in bytes.
func (p IP) FragmentOffset() int {
	if p.Is4() {
		return IPv4(p).FragmentOffset()
	}
	return IPv6(p).FragmentOffset()
}

// MoreFragments reports whether other fragments follow.
func (p IP) MoreFragments() bool {
	if p.Is4() {
		return IPv4(p).MoreFragments()
	}
	return IPv6(p).MoreFragments()
}

// SetTTL writes the time to live. The checksum of IPv4 is left alone.
func (p IP) SetTTL(ttl uint8) {
	if p.Is4() {
		p[8] = ttl
		return
	}
	p[7] = ttl
}

// DecrementTTL takes one hop off. The TTL must not be zero.
func (p IP) DecrementTTL() {
	if p.Is4() {
		IPv4(p).DecrementTTL()
		return
	}
	p[7]--
}

// SetAddrs writes both addresses, which must be of the packet's family, and updates the checksum of IPv4's header. That of the
// payload is left alone.
func (p IP) SetAddrs(src, dst netip.Addr) {
	if p.Is4() {
		IPv4(p).SetAddrs(src, dst)
		return
	}
	AddrOf(src).Put(p[8:24])
	AddrOf(dst).Put(p[24:40])
}

// SetChecksum computes and writes the checksum of the header, of which IPv6 has none.
func (p IP) SetChecksum() {
	if p.Is4() {
		IPv4(p).SetChecksum()
	}
}

// SetLength writes the length, which is that of the view.
func (p IP) SetLength() {
	if p.Is4() {
		IPv4(p).SetLength()
		return
	}
	binary.BigEndian.PutUint16(p[4:6], uint16(len(p)-IPv6Header))
}

// FixedHeader returns the length in bytes of a header without options or extensions, in the family of an address.
func FixedHeader(a netip.Addr) int {
	if a.Is4() {
		return IPv4Header
	}
	return IPv6Header
}

// PutIP writes the header of a packet, which is all of b; id means nothing to IPv6. Both addresses are of one family.
func PutIP(b []byte, proto, ttl uint8, id uint16, src, dst netip.Addr) IP {
	if src.Is4() {
		return IP(PutIPv4(b, proto, ttl, id, src, dst))
	}
	return IP(PutIPv6(b, proto, ttl, src, dst))
}

package frame

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// IPv4Header is the length in bytes of an IPv4 header without options.
const IPv4Header = 20

// Protocol numbers of IPv4's payload (IANA).
const (
	ProtoICMP    uint8 = 1
	ProtoTCP     uint8 = 6
	ProtoUDP     uint8 = 17
	ProtoDCCP    uint8 = 33
	ProtoSCTP    uint8 = 132
	ProtoUDPLite uint8 = 136
)

// What can be wrong with an IPv4 header (RFC 1812 5.2.2). ParseIPv4 returns these very values.
var (
	ErrShortIPv4   = errors.New("shorter than an IPv4 header")
	ErrIPVersion   = errors.New("the version is not 4")
	ErrIPv4Header  = errors.New("the header length is impossible")
	ErrIPv4Length  = errors.New("the total length does not fit the frame")
	ErrIPv4Options = errors.New("an option's length is impossible")
)

// Bits of the fragment field.
const (
	ipv4DF uint16 = 0x4000
	ipv4MF uint16 = 0x2000

	ipv4Offset uint16 = 0x1fff
)

// IPv4 is a view of an IPv4 packet (RFC 791), from the version to the end of the payload.
type IPv4 []byte

// ParseIPv4 returns the view, cut to the packet's total length so that Ethernet padding is out of sight, or one of the
// errors above. It does not verify the checksum: see ChecksumOK.
func ParseIPv4(b []byte) (IPv4, error) {
	if len(b) < IPv4Header {
		return nil, ErrShortIPv4
	}
	if b[0]>>4 != 4 {
		return nil, ErrIPVersion
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:4]))
	if header < IPv4Header || header > len(b) {
		return nil, ErrIPv4Header
	}
	if total < header || total > len(b) {
		return nil, ErrIPv4Length
	}
	return IPv4(b[:total]), nil
}

// ParseClippedIPv4 returns the view of a packet whose end may be missing, in a capture or a quotation: the header is whole
// and says how long the packet was; behind it is what there is.
func ParseClippedIPv4(b []byte) (IPv4, bool) {
	if len(b) < IPv4Header || b[0]>>4 != 4 {
		return nil, false
	}
	header, total := IPv4(b).HeaderLen(), int(binary.BigEndian.Uint16(b[2:4]))
	if header < IPv4Header || header > len(b) || total < header {
		return nil, false
	}
	return IPv4(b[:min(total, len(b))]), true
}

// HeaderLen returns the length of the header with its options, in bytes.
func (p IPv4) HeaderLen() int { return int(p[0]&15) * 4 }

// TOS returns the type-of-service octet (DSCP and ECN).
func (p IPv4) TOS() uint8 { return p[1] }

// ID returns the identification that all fragments of a packet share.
func (p IPv4) ID() uint16 { return binary.BigEndian.Uint16(p[4:6]) }

// DontFragment reports the DF bit.
func (p IPv4) DontFragment() bool { return p.fragment()&ipv4DF != 0 }

// MoreFragments reports the MF bit.
func (p IPv4) MoreFragments() bool { return p.fragment()&ipv4MF != 0 }

// FragmentOffset returns where the payload stands in the whole packet's, in bytes.
func (p IPv4) FragmentOffset() int { return int(p.fragment()&ipv4Offset) * 8 }

// IsFragment reports whether the packet is only a part of one. The reserved bit says nothing about that.
func (p IPv4) IsFragment() bool { return p.fragment()&(ipv4MF|ipv4Offset) != 0 }

// SetFragment writes flags and offset; offset counts bytes and is a multiple of 8.
func (p IPv4) SetFragment(dontFragment, more bool, offset int) {
	v := uint16(offset / 8)
	if dontFragment {
		v |= ipv4DF
	}
	if more {
		v |= ipv4MF
	}
	binary.BigEndian.PutUint16(p[6:8], v)
}

func (p IPv4) fragment() uint16 { return binary.BigEndian.Uint16(p[6:8]) }

// TTL returns the time to live, in hops.
func (p IPv4) TTL() uint8 { return p[8] }

// Proto returns the protocol of the payload.
func (p IPv4) Proto() uint8 { return p[9] }

// Src returns the source address.
func (p IPv4) Src() netip.Addr { return netip.AddrFrom4([4]byte(p[12:16])) }

// Dst returns the destination address.
func (p IPv4) Dst() netip.Addr { return netip.AddrFrom4([4]byte(p[16:20])) }

// Options returns the option bytes between the fixed header and the payload.
func (p IPv4) Options() []byte { return p[IPv4Header:p.HeaderLen()] }

// Payload returns what follows the header.
func (p IPv4) Payload() []byte { return p[p.HeaderLen():] }

// ChecksumOK verifies the header's checksum.
func (p IPv4) ChecksumOK() bool { return Checksum(p[:p.HeaderLen()], 0) == 0 }

// SetChecksum computes and writes the header's checksum.
func (p IPv4) SetChecksum() {
	binary.BigEndian.PutUint16(p[10:12], 0)
	binary.BigEndian.PutUint16(p[10:12], Checksum(p[:p.HeaderLen()], 0))
}

// SetLength writes the total length, which is that of the view, in bytes. The checksum is left alone, as it is by SetTOS,
// SetTTL and SetFragment.
func (p IPv4) SetLength() { binary.BigEndian.PutUint16(p[2:4], uint16(len(p))) }

// SetTOS writes the type-of-service octet.
func (p IPv4) SetTOS(tos uint8) { p[1] = tos }

// SetTTL writes the time to live, in hops.
func (p IPv4) SetTTL(ttl uint8) { p[8] = ttl }

// SetAddrs writes both addresses, which must be IPv4, and updates the header's checksum (RFC 1624). That of the payload,
// where it covers the addresses, is left alone: see Rewrite.
func (p IPv4) SetAddrs(src, dst netip.Addr) {
	s, d := src.As4(), dst.As4()
	sum := binary.BigEndian.Uint16(p[10:12])
	sum = UpdateChecksum32(sum, binary.BigEndian.Uint32(p[12:16]), binary.BigEndian.Uint32(s[:]))
	sum = UpdateChecksum32(sum, binary.BigEndian.Uint32(p[16:20]), binary.BigEndian.Uint32(d[:]))
	binary.BigEndian.PutUint16(p[10:12], sum)
	copy(p[12:16], s[:])
	copy(p[16:20], d[:])
}

// DecrementTTL takes one hop off and updates the checksum (RFC 1624). The TTL must not be zero.
func (p IPv4) DecrementTTL() {
	before := binary.BigEndian.Uint16(p[8:10])
	p[8]--
	sum := binary.BigEndian.Uint16(p[10:12])
	binary.BigEndian.PutUint16(p[10:12], UpdateChecksum(sum, before, binary.BigEndian.Uint16(p[8:10])))
}

// PutIPv4 writes a header of 20 bytes, checksum included, for a packet of total length len(b). Both addresses must be
// IPv4. The payload behind the header is left alone.
func PutIPv4(b []byte, proto, ttl uint8, id uint16, src, dst netip.Addr) IPv4 {
	p := IPv4(b)
	s, d := src.As4(), dst.As4()
	clear(p[:IPv4Header])
	p[0] = 0x45
	binary.BigEndian.PutUint16(p[2:4], uint16(len(b)))
	binary.BigEndian.PutUint16(p[4:6], id)
	p[8], p[9] = ttl, proto
	copy(p[12:16], s[:])
	copy(p[16:20], d[:])
	p.SetChecksum()
	return p
}

// BroadcastOf returns the address of everyone on an IPv4 network (RFC 919): all host bits set. A /31 or /32 has none, nor has
// a network of IPv6; then the invalid Addr is returned, which equals no address.
func BroadcastOf(network netip.Prefix) netip.Addr {
	if !network.Addr().Is4() || network.Bits() >= 31 {
		return netip.Addr{}
	}
	ip := network.Addr().As4()
	host := uint32(1)<<(32-network.Bits()) - 1
	binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(ip[:])|host)
	return netip.AddrFrom4(ip)
}

package frame

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// IPv6Header is the length in bytes of an IPv6 header without extensions (RFC 8200 3).
const IPv6Header = 40

// IPv6MinMTU is how large a packet every link of IPv6 carries, in bytes (RFC 8200 5). Where less fits there is no IPv6.
const IPv6MinMTU = 1280

// Numbers of IPv6's extension headers, and of what only IPv6 carries (IANA).
const (
	ProtoHopByHop    uint8 = 0
	ProtoRouting     uint8 = 43
	ProtoFragment    uint8 = 44
	ProtoAH          uint8 = 51
	ProtoICMPv6      uint8 = 58
	ProtoNoNext      uint8 = 59
	ProtoDestOptions uint8 = 60
)

// What can be wrong with an IPv6 packet. ParseIPv6 returns these very values, and ErrIPVersion.
var (
	ErrShortIPv6  = errors.New("shorter than an IPv6 header")
	ErrIPv6Length = errors.New("the payload length does not fit the frame")
	ErrIPv6Chain  = errors.New("the extension headers are cut short, or too many")
)

// IPv6 is a view of an IPv6 packet (RFC 8200). Between its header and the payload may stand extension headers.
type IPv6 []byte

// maxExtensions bounds how many extension headers are walked. Each kind but one is to appear once (RFC 8200 4.1): eight are
// more than anybody sends who does not want to hide something.
const maxExtensions = 8

// ParseIPv6 returns the view, cut to the packet's length, or one of the errors above.
func ParseIPv6(b []byte) (IPv6, error) {
	if len(b) < IPv6Header {
		return nil, ErrShortIPv6
	}
	if b[0]>>4 != 6 {
		return nil, ErrIPVersion
	}
	end := IPv6Header + int(binary.BigEndian.Uint16(b[4:6]))
	if end > len(b) {
		return nil, ErrIPv6Length
	}
	p := IPv6(b[:end])
	if !p.chain().whole {
		return nil, ErrIPv6Chain
	}
	return p, nil
}

// ParseClippedIPv6 returns the view of a packet whose end may be missing.
func ParseClippedIPv6(b []byte) (IPv6, bool) {
	if len(b) < IPv6Header || b[0]>>4 != 6 {
		return nil, false
	}
	return IPv6(b[:min(IPv6Header+int(binary.BigEndian.Uint16(b[4:6])), len(b))]), true
}

// chain is what the headers in front of the payload come to.
type chain struct {
	proto    uint8 // of the payload
	payload  int   // where it begins
	fragment int   // where the fragment header stands; 0: there is none
	named    int   // of a fragment header, where the octet is that names it
	whole    bool  // the walk has come to the payload
}

// isExtension reports whether a number is that of an extension header that can be walked. What is encrypted ends the walk.
func isExtension(proto uint8) bool {
	switch proto {
	case ProtoHopByHop, ProtoRouting, ProtoFragment, ProtoAH, ProtoDestOptions:
		return true
	}
	return false
}

// chain walks the extension headers. In a fragment that is not the first they end with the fragment header.
func (p IPv6) chain() chain {
	c := chain{proto: p[6], payload: IPv6Header}
	named := 6
	for range maxExtensions {
		if !isExtension(c.proto) {
			c.whole = true
			return c
		}
		at := c.payload
		if at+8 > len(p) {
			return c
		}
		length := 8 + 8*int(p[at+1])
		switch c.proto {
		case ProtoFragment:
			length, c.fragment, c.named = 8, at, named
		case ProtoAH:
			length = 8 + 4*int(p[at+1])
		}
		if at+length > len(p) {
			return c
		}
		first := c.proto != ProtoFragment || binary.BigEndian.Uint16(p[at+2:])>>3 == 0
		c.proto, c.payload, named = p[at], at+length, at
		if !first {
			c.whole = true
			return c
		}
	}
	return c
}

// HeaderLen returns where the payload begins, behind all extension headers, in bytes.
func (p IPv6) HeaderLen() int {
	if !isExtension(p[6]) {
		return IPv6Header
	}
	return p.chain().payload
}

// Proto returns the protocol of the payload.
func (p IPv6) Proto() uint8 {
	if !isExtension(p[6]) {
		return p[6]
	}
	return p.chain().proto
}

// Upper returns the protocol of the payload and the payload itself; whole is false where the extension headers do not lead there,
// because they are cut short or too many.
func (p IPv6) Upper() (proto uint8, payload []byte, whole bool) {
	c := p.chain()
	return c.proto, p[c.payload:], c.whole
}

// Payload returns what follows the extension headers.
func (p IPv6) Payload() []byte { return p[p.HeaderLen():] }

// HopLimit returns how many hops are left.
func (p IPv6) HopLimit() uint8 { return p[7] }

// Src returns the source address.
func (p IPv6) Src() netip.Addr { return netip.AddrFrom16([16]byte(p[8:24])) }

// Dst returns the destination address.
func (p IPv6) Dst() netip.Addr { return netip.AddrFrom16([16]byte(p[24:40])) }

// fragmentField returns offset and flag of the fragment header; ok is false without one.
func (p IPv6) fragmentField() (field uint16, ok bool) {
	if !isExtension(p[6]) {
		return 0, false
	}
	at := p.chain().fragment
	if at == 0 {
		return 0, false
	}
	return binary.BigEndian.Uint16(p[at+2:]), true
}

// HasFragmentHeader reports whether there is one, in a packet that is only a part of one or claims to be.
func (p IPv6) HasFragmentHeader() bool {
	_, ok := p.fragmentField()
	return ok
}

// IsFragment reports whether the packet is only a part of one: an atomic fragment is not (RFC 6946).
func (p IPv6) IsFragment() bool {
	field, _ := p.fragmentField()
	return field&0xfff9 != 0
}

// FragmentOffset returns where the payload stands in the whole packet's, in bytes.
func (p IPv6) FragmentOffset() int {
	field, _ := p.fragmentField()
	return int(field &^ 7)
}

// MoreFragments reports whether other fragments follow.
func (p IPv6) MoreFragments() bool {
	field, _ := p.fragmentField()
	return field&1 != 0
}

// FragmentID returns the identification that all fragments of a packet share.
func (p IPv6) FragmentID() uint32 {
	if at := p.chain().fragment; at != 0 {
		return binary.BigEndian.Uint32(p[at+4:])
	}
	return 0
}

// Extension is one extension header: its number, and where it stands in the packet.
type Extension struct {
	Proto      uint8
	Start, End int
}

// Extensions calls each for the extension headers in order, until it returns false.
func (p IPv6) Extensions(each func(Extension) bool) {
	proto, at, end := p[6], IPv6Header, p.HeaderLen()
	for at < end {
		length := 8 + 8*int(p[at+1])
		switch proto {
		case ProtoFragment:
			length = 8
		case ProtoAH:
			length = 8 + 4*int(p[at+1])
		}
		if !each(Extension{proto, at, at + length}) {
			return
		}
		proto, at = p[at], at+length
	}
}

// PutIPv6 writes a header of 40 bytes for a packet of length len(b). The payload behind it is left alone.
func PutIPv6(b []byte, proto, hopLimit uint8, src, dst netip.Addr) IPv6 {
	p := IPv6(b)
	binary.BigEndian.PutUint32(p[0:4], 6<<28)
	binary.BigEndian.PutUint16(p[4:6], uint16(len(b)-IPv6Header))
	p[6], p[7] = proto, hopLimit
	AddrOf(src).Put(p[8:24])
	AddrOf(dst).Put(p[24:40])
	return p
}

// The groups of all nodes and all routers on a link (RFC 4291 2.7.1), and that of all who answer to MLDv2 (RFC 3810 5.2.14).
var (
	AllNodes      = netip.MustParseAddr("ff02::1")
	AllRouters    = netip.MustParseAddr("ff02::2")
	AllMLDRouters = netip.MustParseAddr("ff02::16")
)

// SolicitedNode returns the group to which those belong whose addresses end like this one: whoever asks for the address asks
// there (RFC 4291 2.7.1).
func SolicitedNode(a netip.Addr) netip.Addr {
	b := a.As16()
	group := [16]byte{0: 0xff, 1: 2, 11: 1, 12: 0xff}
	copy(group[13:], b[13:])
	return netip.AddrFrom16(group)
}

// GroupMAC returns the hardware address of a group of IPv6 (RFC 2464 7).
func GroupMAC(group netip.Addr) MAC {
	b := group.As16()
	return MAC{0x33, 0x33, b[12], b[13], b[14], b[15]}
}

// EUI64 returns the address in a /64 whose lower half is made of a hardware address (RFC 4291 appendix A).
func EUI64(network netip.Prefix, m MAC) netip.Addr {
	b := network.Masked().Addr().As16()
	copy(b[8:], []byte{m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]})
	return netip.AddrFrom16(b)
}

// LinkLocal is the network that is on every link (RFC 4291 2.5.6).
var LinkLocal = netip.MustParsePrefix("fe80::/64")

// HasExtensions reports whether anything stands between the header and the payload.
func (p IPv6) HasExtensions() bool { return isExtension(p[6]) }

// NextHeaderAt returns where the octet stands that names the protocol of the payload.
func (p IPv6) NextHeaderAt() (at int) {
	at = 6
	p.Extensions(func(e Extension) bool {
		at = e.Start
		return true
	})
	return at
}

package frame

import (
	"encoding/binary"
	"net/netip"
)

// NDHopLimit is what every message has: one that a router has passed on has less (RFC 4861 3.1).
const NDHopLimit = 255

// Numbers of options (RFC 4861 4.6, RFC 8106).
const (
	optionSourceMAC = 1
	optionTargetMAC = 2
	optionPrefix    = 3
	optionMTU       = 5
	optionRDNSS     = 25
	optionDNSSL     = 31
)

// Flags of a neighbour advertisement, in its fifth octet.
const (
	flagRouter    = 0x80
	flagSolicited = 0x40
	flagOverride  = 0x20
)

// ND is a message of neighbour discovery (RFC 4861).
type ND struct {
	Type                        uint8 // of ICMPv6
	Src, Dst                    netip.Addr
	Target                      netip.Addr // of solicitations and advertisements of neighbours, and of redirects
	Router, Solicited, Override bool       // of an advertisement
	SourceMAC, TargetMAC        MAC        // zero where the option is not there
	Advert                      RouterAdvert
}

// IsDAD reports whether a solicitation asks whether anybody has the address that its sender is about to take (RFC 4862 5.4.2).
func (m *ND) IsDAD() bool { return m.Type == ICMPv6Solicit && m.Src.IsUnspecified() }

// NDProblem is why a message is not to be believed. The zero value: it is.
type NDProblem uint8

// The problems, in the order in which they are looked for (RFC 4861 6.1, 7.1, 8.1; RFC 6980).
const (
	NDDistant    NDProblem = iota + 1 // its hop limit is not 255: it does not come from this link
	NDFragmented                      // no message is so long that it has to be cut
	NDMalformed                       // too short, a code that is not 0, an option without length
	NDImpossible                      // its addresses cannot be: a group as the target, a sender without address in the wrong place
)

// fixed is the length in bytes of a message in front of its options.
func fixed(icmpType uint8) (length int, ok bool) {
	switch icmpType {
	case ICMPv6RouterSolicit:
		return 8, true
	case ICMPv6RouterAdvert:
		return 16, true
	case ICMPv6Solicit, ICMPv6Advert:
		return 24, true
	case ICMPv6Redirect:
		return 40, true
	}
	return 0, false
}

// ParseND reads a message, whose checksum has been verified, and judges it.
func ParseND(p IPv6) (ND, NDProblem) {
	b := p.Payload()
	if len(b) < ICMPHeader {
		return ND{}, NDMalformed
	}
	m := ND{Type: b[0], Src: p.Src(), Dst: p.Dst()}
	length, ok := fixed(m.Type)
	switch {
	case p.HopLimit() != NDHopLimit:
		return m, NDDistant
	case p.HasFragmentHeader():
		return m, NDFragmented
	case !ok, b[1] != 0, len(b) < length:
		return m, NDMalformed
	}
	if length >= 24 {
		m.Target = netip.AddrFrom16([16]byte(b[8:24]))
	}
	if m.Type == ICMPv6Advert {
		m.Router, m.Solicited, m.Override = b[4]&flagRouter != 0, b[4]&flagSolicited != 0, b[4]&flagOverride != 0
	}
	if m.Type == ICMPv6RouterAdvert {
		m.Advert.readFixed(b)
	}
	if !m.options(b[length:]) {
		return m, NDMalformed
	}
	if m.impossible() {
		return m, NDImpossible
	}
	return m, 0
}

// options reads those that are known; one without length would be read for ever (RFC 4861 4.6).
func (m *ND) options(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 2 || b[1] == 0 || len(b) < 8*int(b[1]) {
			return false
		}
		o := b[:8*int(b[1])]
		switch o[0] {
		case optionSourceMAC:
			m.SourceMAC = MAC(o[2:8])
		case optionTargetMAC:
			m.TargetMAC = MAC(o[2:8])
		default:
			m.Advert.readOption(o)
		}
		b = b[len(o):]
	}
	return true
}

// IsND reports whether an ICMPv6 message is one of neighbour discovery.
func IsND(message []byte) bool {
	_, ok := fixed(message[0])
	return ok
}

// NDClaim returns the address that a message of neighbour discovery says its sender has, and where: its source, or what an
// advertisement tells of. Both are zero where it does not say; nothing is judged.
func (p IPv6) NDClaim(message []byte) (addr netip.Addr, mac MAC) {
	length, ok := fixed(message[0])
	if !ok || len(message) < length {
		return netip.Addr{}, MAC{}
	}
	addr, option := p.Src(), byte(optionSourceMAC)
	if message[0] == ICMPv6Advert {
		addr, option = netip.AddrFrom16([16]byte(message[8:24])), optionTargetMAC
	}
	for b := message[length:]; len(b) >= 8 && b[1] != 0 && len(b) >= 8*int(b[1]); b = b[8*int(b[1]):] {
		if b[0] == option {
			return addr, MAC(b[2:8])
		}
	}
	return addr, MAC{}
}

// impossible looks for addresses that cannot be (RFC 4861 6.1.1, 6.1.2, 7.1.1, 7.1.2, 8.1).
func (m *ND) impossible() bool {
	unspecified := m.Src.IsUnspecified()
	switch m.Type {
	case ICMPv6Solicit:
		return m.Target.IsMulticast() || m.Target.IsUnspecified() || unspecified && (m.Dst != SolicitedNode(m.Target) || m.SourceMAC != MAC{}) ||
			m.SourceMAC.IsGroup()
	case ICMPv6Advert:
		return m.Target.IsMulticast() || m.Target.IsUnspecified() || unspecified || m.Dst.IsMulticast() && m.Solicited || m.TargetMAC.IsGroup()
	case ICMPv6RouterSolicit:
		return unspecified && m.SourceMAC != MAC{} || m.SourceMAC.IsGroup()
	case ICMPv6RouterAdvert, ICMPv6Redirect:
		return !m.Src.IsLinkLocalUnicast()
	}
	return false
}

// appendMAC appends an option with a hardware address.
func appendMAC(b []byte, option byte, mac MAC) []byte {
	return append(append(b, option, 1), mac[:]...)
}

// finish writes the IPv6 header in front of a message, for which there is room at b's beginning, and the checksum.
func finish(b []byte, src, dst netip.Addr) []byte {
	IP(PutIPv6(b, ProtoICMPv6, NDHopLimit, src, dst)).SetICMPChecksum()
	return b
}

// AppendNeighborSolicit appends the packet that asks for target: its group, or target itself with unicast, which is how an old entry is
// checked. From :: it asks whether the address is taken, and does not say where the asker is.
func AppendNeighborSolicit(b []byte, src, target netip.Addr, mac MAC, unicast bool) []byte {
	at, dst := len(b), SolicitedNode(target)
	if unicast {
		dst = target
	}
	b = append(b, make([]byte, IPv6Header+24)...)
	b[at+IPv6Header] = ICMPv6Solicit
	AddrOf(target).Put(b[at+IPv6Header+8:][:16])
	if !src.IsUnspecified() {
		b = appendMAC(b, optionSourceMAC, mac)
	}
	finish(b[at:], src, dst)
	return b
}

// NeighborAdvert is what AppendNeighborAdvert writes.
type NeighborAdvert struct {
	Src, Dst, Target            netip.Addr
	MAC                         MAC
	Router, Solicited, Override bool
}

// AppendNeighborAdvert appends the packet that says where an address is.
func AppendNeighborAdvert(b []byte, a NeighborAdvert) []byte {
	at := len(b)
	b = append(b, make([]byte, IPv6Header+24)...)
	m := b[at+IPv6Header:]
	m[0] = ICMPv6Advert
	m[4] = flag(a.Router, flagRouter) | flag(a.Solicited, flagSolicited) | flag(a.Override, flagOverride)
	AddrOf(a.Target).Put(m[8:24])
	b = appendMAC(b, optionTargetMAC, a.MAC)
	finish(b[at:], a.Src, a.Dst)
	return b
}

func flag(on bool, bit byte) byte {
	if on {
		return bit
	}
	return 0
}

// seconds reads a time of four octets.
func seconds(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

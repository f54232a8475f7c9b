package frame

import (
	"encoding/binary"
	"net/netip"
)

// Types of ICMPv6 that uswitch sends or reads (RFC 4443, RFC 4861, RFC 2710, RFC 3810).
const (
	ICMPv6Unreachable   uint8 = 1
	ICMPv6TooBig        uint8 = 2
	ICMPv6TimeExceeded  uint8 = 3
	ICMPv6ParamProblem  uint8 = 4
	ICMPv6Echo          uint8 = 128
	ICMPv6EchoReply     uint8 = 129
	ICMPv6MLDQuery      uint8 = 130
	ICMPv6MLDReport     uint8 = 131
	ICMPv6MLDDone       uint8 = 132
	ICMPv6RouterSolicit uint8 = 133
	ICMPv6RouterAdvert  uint8 = 134
	ICMPv6Solicit       uint8 = 135
	ICMPv6Advert        uint8 = 136
	ICMPv6Redirect      uint8 = 137
	ICMPv6MLD2Report    uint8 = 143
)

// Codes of ICMPv6Unreachable (RFC 4443 3.1).
const (
	Unreachable6NoRoute uint8 = 0
	Unreachable6Admin   uint8 = 1
	Unreachable6Scope   uint8 = 2
	Unreachable6Address uint8 = 3
	Unreachable6Port    uint8 = 4
	Unreachable6Policy  uint8 = 5
	Unreachable6Reject  uint8 = 6
)

// IsICMP reports whether a protocol is ICMP, of either family.
func IsICMP(proto uint8) bool { return proto == ProtoICMP || proto == ProtoICMPv6 }

// IsICMP reports whether the payload is an ICMP message of the packet's own family.
func (p IP) IsICMP() bool {
	if p.Is4() {
		return p[9] == ProtoICMP
	}
	return IPv6(p).Proto() == ProtoICMPv6
}

// ICMP returns the message of an ICMP packet; ok is false for any other, and for one that is cut short. What both families
// have in the same place its accessors read; what differs by family is asked of the packet.
func (p IP) ICMP() (m ICMP, ok bool) {
	if !p.IsICMP() || p.FragmentOffset() != 0 {
		return nil, false
	}
	return ParseICMP(p.Payload())
}

// IsICMPError reports whether the packet is an ICMP message that tells of a fault of another packet, which it quotes.
func (p IP) IsICMPError() bool {
	m, ok := p.ICMP()
	if !ok || p.Is4() {
		return ok && m.IsError()
	}
	return m.Type() < ICMPv6Echo || m.Type() == ICMPv6Redirect
}

// IsICMPQuery reports whether the packet is a question or an answer that carries an identifier.
func (p IP) IsICMPQuery() bool {
	m, ok := p.ICMP()
	if !ok || p.Is4() {
		return ok && m.IsQuery()
	}
	return m.Type() == ICMPv6Echo || m.Type() == ICMPv6EchoReply
}

// IsICMPQuestion reports whether the packet is a query that asks for an answer.
func (p IP) IsICMPQuestion() bool {
	m, ok := p.ICMP()
	if !ok || p.Is4() {
		return ok && m.IsQuestion()
	}
	return m.Type() == ICMPv6Echo
}

// IsLinkSignal reports whether the packet is one of those by which the stations of a link find each other: neighbour and
// router discovery, and multicast listener discovery. No connection is made of them.
func (p IP) IsLinkSignal() bool {
	m, ok := p.ICMP()
	return ok && !p.Is4() && (m.Type() >= ICMPv6MLDQuery && m.Type() <= ICMPv6Advert || m.Type() == ICMPv6MLD2Report)
}

// Quote returns the packet that an ICMP error is about, as far as the error quotes it: see ICMP.Quote.
func (p IP) Quote() (IP, bool) {
	m, ok := p.ICMP()
	if !ok || !p.IsICMPError() {
		return nil, false
	}
	if p.Is4() {
		q, ok := m.Quote()
		return IP(q), ok && q.ChecksumOK()
	}
	return m.quoteV6()
}

// QuoteOf is Quote of a message that has come without the header in front; six says that it is one of ICMPv6.
func (m ICMP) QuoteOf(six bool) (IP, bool) {
	if six {
		return m.quoteV6()
	}
	q, ok := m.Quote()
	return IP(q), ok
}

func (m ICMP) quoteV6() (IP, bool) {
	q := IPv6(m.Payload())
	if m.Type() >= ICMPv6Echo || len(q) < IPv6Header+quotedPayload || q[0]>>4 != 6 || !q.chain().whole || len(q.Payload()) < quotedPayload {
		return nil, false
	}
	return IP(q), true
}

// ICMPEchoOf returns the types of an echo request and its reply in the family of an address.
func ICMPEchoOf(a netip.Addr) (request, reply uint8) {
	if a.Is4() {
		return ICMPEcho, ICMPEchoReply
	}
	return ICMPv6Echo, ICMPv6EchoReply
}

// ICMPChecksumOK verifies the checksum of an ICMP message, which in IPv6 covers the addresses too.
func (p IP) ICMPChecksumOK() bool { return Checksum(p.Payload(), p.icmpPseudoHeader()) == 0 }

// SetICMPChecksum computes and writes the checksum of an ICMP message.
func (p IP) SetICMPChecksum() {
	m := p.Payload()
	binary.BigEndian.PutUint16(m[2:4], 0)
	binary.BigEndian.PutUint16(m[2:4], Checksum(m, p.icmpPseudoHeader()))
}

func (p IP) icmpPseudoHeader() uint32 {
	if p.Is4() {
		return 0
	}
	return PseudoHeader(ProtoICMPv6, p.Src(), p.Dst(), len(p.Payload()))
}

// TurnEcho makes an echo request its reply: the type only, with the checksum updated.
func (p IP) TurnEcho() {
	m := ICMP(p.Payload())
	if p.Is4() {
		m.TurnEcho()
		return
	}
	before := binary.BigEndian.Uint16(m[0:2])
	m[0] = ICMPv6EchoReply
	binary.BigEndian.PutUint16(m[2:4], UpdateChecksum(binary.BigEndian.Uint16(m[2:4]), before, binary.BigEndian.Uint16(m[0:2])))
}

// ProtoICMPOf returns the number of ICMP in the family of an address.
func ProtoICMPOf(a netip.Addr) uint8 {
	if a.Is4() {
		return ProtoICMP
	}
	return ProtoICMPv6
}

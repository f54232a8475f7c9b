package frame

import "encoding/binary"

// ICMP types that uswitch sends or reads (RFC 792).
const (
	ICMPEchoReply       uint8 = 0
	ICMPUnreachable     uint8 = 3
	icmpSourceQuench    uint8 = 4
	ICMPRedirect        uint8 = 5
	ICMPEcho            uint8 = 8
	ICMPTimeExceeded    uint8 = 11
	ICMPParamProblem    uint8 = 12
	icmpTimestamp       uint8 = 13
	icmpAddressMaskRepl uint8 = 18
)

// Codes of ICMPUnreachable (RFC 792, RFC 1812 5.2.7.1).
const (
	UnreachableNet      uint8 = 0
	UnreachableHost     uint8 = 1
	UnreachableProtocol uint8 = 2
	UnreachablePort     uint8 = 3
	UnreachableTooBig   uint8 = 4
	UnreachableNetAdmin uint8 = 9
	UnreachableHostAdm  uint8 = 10
	UnreachableAdmin    uint8 = 13
)

// ICMP is a view of an ICMP message: type, code, checksum, four bytes whose meaning depends on the type, payload.
type ICMP []byte

// ParseICMP returns the view, or false if the header is not complete.
func ParseICMP(b []byte) (ICMP, bool) { return ICMP(b), len(b) >= ICMPHeader }

// Type and Code name the message.
func (m ICMP) Type() uint8 { return m[0] }

// Code refines Type.
func (m ICMP) Code() uint8 { return m[1] }

// ID returns the identifier of an echo: what a port is to UDP.
func (m ICMP) ID() uint16 { return binary.BigEndian.Uint16(m[4:6]) }

// Seq returns the sequence number of an echo.
func (m ICMP) Seq() uint16 { return binary.BigEndian.Uint16(m[6:8]) }

// MTU returns the next hop's MTU of a Fragmentation Needed message (RFC 1191 4).
func (m ICMP) MTU() uint16 { return binary.BigEndian.Uint16(m[6:8]) }

// Payload returns what follows the header: data of an echo, the packet that an error is about.
func (m ICMP) Payload() []byte { return m[ICMPHeader:] }

// IsError reports whether the message tells of a fault of another packet, which its payload quotes.
func (m ICMP) IsError() bool {
	switch m.Type() {
	case ICMPUnreachable, icmpSourceQuench, ICMPRedirect, ICMPTimeExceeded, ICMPParamProblem:
		return true
	}
	return false
}

// IsQuery reports whether the message is a question or an answer that carries an identifier (RFC 5508 3).
func (m ICMP) IsQuery() bool {
	t := m.Type()
	return t == ICMPEcho || t == ICMPEchoReply || t >= icmpTimestamp && t <= icmpAddressMaskRepl
}

// IsQuestion reports whether the message is a query that asks for an answer: echo, timestamp, information, address mask.
func (m ICMP) IsQuestion() bool { return m.Type() == ICMPEcho || m.IsQuery() && m.Type()%2 == 1 }

// Quote returns the packet that an error is about, as far as the error quotes it: its header, which has no view of ParseIPv4
// because it speaks of the whole packet, and eight bytes of what followed or more (RFC 792).
func (m ICMP) Quote() (IPv4, bool) {
	if !m.IsError() {
		return nil, false
	}
	p := IPv4(m.Payload())
	if len(p) < IPv4Header || p[0]>>4 != 4 || p.HeaderLen() < IPv4Header || len(p) < p.HeaderLen()+quotedPayload {
		return nil, false
	}
	return p, true
}

// quotedPayload is how much of a packet's payload an error has to quote, in bytes (RFC 792).
const quotedPayload = 8

// QuoteLength is the length in bytes of the longer of the shortest quotations of a packet: IPv6's.
const QuoteLength = IPv6Header + quotedPayload

// PutQuote writes into b, which must hold QuoteLength bytes, what the shortest error quotes of a packet, and returns it: its
// header without options or extensions, as if it had been sent with none, and eight bytes.
func PutQuote(b []byte, p IP) IP {
	header := FixedHeader(p.Src())
	q := IP(b[:header+quotedPayload])
	clear(q)
	copy(q, p[:header])
	copy(q[header:], p.Payload())
	length := uint16(len(p) - p.HeaderLen())
	if p.Is4() {
		q[0] = 0x45
		binary.BigEndian.PutUint16(q[2:4], length+IPv4Header)
		q.SetChecksum()
		return q
	}
	binary.BigEndian.PutUint16(q[4:6], length)
	q[6] = p.Proto()
	return q
}

// maxICMPError is the size in bytes of an IP packet with an error and all that it quotes (RFC 1812 4.3.2.3).
const maxICMPError = 576

// ICMPError is what an error says, besides the packet that it quotes.
type ICMPError struct {
	Type, Code uint8
	MTU        uint16 // of a Fragmentation Needed, in bytes (RFC 1191 4)
	Pointer    uint16 // of a Parameter Problem: which octet of the packet's header is wrong; ICMP has a byte for it
}

// Error returns what an error says; it is read whatever the type.
func (m ICMP) Error() ICMPError {
	return ICMPError{Type: m.Type(), Code: m.Code(), MTU: m.MTU(), Pointer: uint16(m[4])}
}

// Append appends the message to b, with as much of a packet as fits.
func (e ICMPError) Append(b []byte, about []byte) []byte {
	at := len(b)
	b = append(b, e.Type, e.Code, 0, 0, byte(e.Pointer), 0, byte(e.MTU>>8), byte(e.MTU))
	b = append(b, about[:min(len(about), maxICMPError-IPv4Header-ICMPHeader)]...)
	ICMP(b[at:]).SetChecksum()
	return b
}

// AppendV6 appends the message about an IPv6 packet to b, with as much of it as fits a packet of IPv6MinMTU bytes (RFC 4443
// 2.4). Its checksum, which covers the addresses, is still to be set.
func (e ICMPError) AppendV6(b []byte, about IP) []byte {
	b = append(b, e.Type, e.Code, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(e.MTU)+uint32(e.Pointer)) // one or the other
	return append(b, about[:min(len(about), IPv6MinMTU-IPv6Header-ICMPHeader)]...)
}

// PutEcho writes the header of an echo request or reply, checksum included. b is the whole message, whose data stands behind
// the header already.
func PutEcho(b []byte, icmpType uint8, id, seq uint16) ICMP {
	m := ICMP(b)
	m[0], m[1] = icmpType, 0
	binary.BigEndian.PutUint16(m[4:6], id)
	binary.BigEndian.PutUint16(m[6:8], seq)
	m.SetChecksum()
	return m
}

// TurnEcho makes an echo request its reply, and updates the checksum.
func (m ICMP) TurnEcho() {
	before := binary.BigEndian.Uint16(m[0:2]) // type and code are one word
	m[0] = ICMPEchoReply
	sum := binary.BigEndian.Uint16(m[2:4])
	binary.BigEndian.PutUint16(m[2:4], UpdateChecksum(sum, before, binary.BigEndian.Uint16(m[0:2])))
}

// ChecksumOK verifies the checksum.
func (m ICMP) ChecksumOK() bool { return Checksum(m, 0) == 0 }

// SetChecksum computes and writes the checksum.
func (m ICMP) SetChecksum() {
	binary.BigEndian.PutUint16(m[2:4], 0)
	binary.BigEndian.PutUint16(m[2:4], Checksum(m, 0))
}

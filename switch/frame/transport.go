package frame

import "encoding/binary"

// ICMP types that uswitch sends or reads (RFC 792).
const (
	ICMPEchoReply       uint8 = 0
	ICMPUnreachable     uint8 = 3
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

// Lengths in bytes of the fixed part of a transport header.
const (
	ICMPHeader = 8
	UDPHeader  = 8
	TCPHeader  = 20
)

// Where the checksum stands in a header, in bytes.
const (
	udpChecksum = 6
	tcpChecksum = 16
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
	case ICMPUnreachable, 4, ICMPRedirect, ICMPTimeExceeded, ICMPParamProblem:
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

// ChecksumOK verifies the checksum.
func (m ICMP) ChecksumOK() bool { return Checksum(m, 0) == 0 }

// SetChecksum computes and writes the checksum.
func (m ICMP) SetChecksum() {
	binary.BigEndian.PutUint16(m[2:4], 0)
	binary.BigEndian.PutUint16(m[2:4], Checksum(m, 0))
}

// UDP is a view of a UDP datagram (RFC 768).
type UDP []byte

// ParseUDP returns the view, or false if the header is not complete.
func ParseUDP(b []byte) (UDP, bool) { return UDP(b), len(b) >= UDPHeader }

// SrcPort returns the source port.
func (u UDP) SrcPort() uint16 { return binary.BigEndian.Uint16(u[0:2]) }

// DstPort returns the destination port.
func (u UDP) DstPort() uint16 { return binary.BigEndian.Uint16(u[2:4]) }

// Length returns the length field: header and payload, in bytes.
func (u UDP) Length() int { return int(binary.BigEndian.Uint16(u[4:6])) }

// Checksum returns the checksum field; 0 means that the sender computed none.
func (u UDP) Checksum() uint16 { return binary.BigEndian.Uint16(u[6:8]) }

// Payload returns what follows the header.
func (u UDP) Payload() []byte { return u[UDPHeader:] }

// TCPFlags are the control bits of a segment.
type TCPFlags uint8

// Control bits (RFC 9293 3.1).
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)

// TCP is a view of a TCP segment (RFC 9293).
type TCP []byte

// ParseTCP returns the view, or false if the header with its options is not complete.
func ParseTCP(b []byte) (TCP, bool) {
	t := TCP(b)
	return t, len(b) >= TCPHeader && t.HeaderLen() >= TCPHeader && t.HeaderLen() <= len(b)
}

// SrcPort returns the source port.
func (t TCP) SrcPort() uint16 { return binary.BigEndian.Uint16(t[0:2]) }

// DstPort returns the destination port.
func (t TCP) DstPort() uint16 { return binary.BigEndian.Uint16(t[2:4]) }

// Seq returns the sequence number.
func (t TCP) Seq() uint32 { return binary.BigEndian.Uint32(t[4:8]) }

// Ack returns the acknowledgement number.
func (t TCP) Ack() uint32 { return binary.BigEndian.Uint32(t[8:12]) }

// HeaderLen returns the length of the header with its options, in bytes.
func (t TCP) HeaderLen() int { return int(t[12]>>4) * 4 }

// Flags returns the control bits.
func (t TCP) Flags() TCPFlags { return TCPFlags(t[13]) }

// Window returns the window field, unscaled.
func (t TCP) Window() uint16 { return binary.BigEndian.Uint16(t[14:16]) }

// Payload returns what follows the header.
func (t TCP) Payload() []byte { return t[t.HeaderLen():] }

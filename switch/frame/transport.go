package frame

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Lengths in bytes of the fixed part of a transport header.
const (
	ICMPHeader = 8
	UDPHeader  = 8
	TCPHeader  = 20
)

// Where the checksum stands in a header, in bytes (Offload.ChecksumOffset).
const (
	UDPChecksum = 6
	TCPChecksum = 16
)

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

// PutUDP writes the header of a datagram, which is all of b; its payload stands behind the header already. The checksum is
// that of a sender that computes none.
func PutUDP(b []byte, srcPort, dstPort uint16) UDP {
	binary.BigEndian.PutUint16(b[0:2], srcPort)
	binary.BigEndian.PutUint16(b[2:4], dstPort)
	binary.BigEndian.PutUint16(b[4:6], uint16(len(b)))
	binary.BigEndian.PutUint16(b[6:8], 0)
	return UDP(b)
}

// ChecksumOK verifies the checksum of a datagram between two addresses, which one of IPv4 may be without (RFC 8200 8.1).
func (u UDP) ChecksumOK(src, dst netip.Addr) bool {
	return u.Checksum() == 0 && src.Is4() || Checksum(u, PseudoHeader(ProtoUDP, src, dst, len(u))) == 0
}

// SetChecksum computes and writes the checksum of a datagram between two addresses.
func (u UDP) SetChecksum(src, dst netip.Addr) {
	u.SetPartialChecksum(src, dst)
	binary.BigEndian.PutUint16(u[UDPChecksum:], notZero(Checksum(u, 0)))
}

// SetPartialChecksum writes the pseudo-header's sum, which is what stands there while the rest is left to a device
// (Offload.NeedsChecksum).
func (u UDP) SetPartialChecksum(src, dst netip.Addr) {
	binary.BigEndian.PutUint16(u[UDPChecksum:], fold(PseudoHeader(ProtoUDP, src, dst, len(u))))
}

// notZero returns UDP's form of a checksum: a zero would mean that there is none; in one's complement both are zero (RFC 768).
func notZero(sum uint16) uint16 {
	if sum == 0 {
		return 0xffff
	}
	return sum
}

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

// ChecksumOK verifies the checksum of a segment between two addresses.
func (t TCP) ChecksumOK(src, dst netip.Addr) bool {
	return Checksum(t, PseudoHeader(ProtoTCP, src, dst, len(t))) == 0
}

// SetChecksum computes and writes the checksum of a segment between two addresses.
func (t TCP) SetChecksum(src, dst netip.Addr) {
	binary.BigEndian.PutUint16(t[TCPChecksum:], 0)
	binary.BigEndian.PutUint16(t[TCPChecksum:], Checksum(t, PseudoHeader(ProtoTCP, src, dst, len(t))))
}

// TCPFields are what the header of a segment says.
type TCPFields struct {
	SrcPort, DstPort uint16
	Seq, Ack         uint32
	Flags            TCPFlags
	Window           uint16 // unscaled
	MSS              uint16 // an option of a SYN, in bytes; 0: none
}

// HeaderLen returns the length of the header with its options, in bytes.
func (f TCPFields) HeaderLen() int {
	if f.MSS != 0 {
		return TCPHeader + mssLength
	}
	return TCPHeader
}

// PutTCP writes the header of a segment, which is all of b; its data stands behind the header already. The checksum is still
// to be set.
func PutTCP(b []byte, f TCPFields) TCP {
	header := f.HeaderLen()
	clear(b[:header])
	binary.BigEndian.PutUint16(b[0:2], f.SrcPort)
	binary.BigEndian.PutUint16(b[2:4], f.DstPort)
	binary.BigEndian.PutUint32(b[4:8], f.Seq)
	binary.BigEndian.PutUint32(b[8:12], f.Ack)
	b[12], b[13] = byte(header/4)<<4, byte(f.Flags)
	binary.BigEndian.PutUint16(b[14:16], f.Window)
	if f.MSS != 0 {
		putMSS(b[TCPHeader:], f.MSS)
	}
	return TCP(b)
}

// DefaultMSS is the largest segment that may be sent over IPv4 to somebody who has not said what fits, in bytes (RFC 9293
// 3.7.1).
const DefaultMSS = 536

// The option of a SYN that says how large segments may be (RFC 9293 3.7.1).
const (
	optionMSS = 2
	mssLength = 4
)

func putMSS(b []byte, mss uint16) {
	b[0], b[1] = optionMSS, mssLength
	binary.BigEndian.PutUint16(b[2:4], mss)
}

// MSS returns the maximum segment size that the segment offers, in bytes, if it does.
func (t TCP) MSS() (mss uint16, ok bool) {
	at := t.mssAt()
	if at == 0 {
		return 0, false
	}
	return binary.BigEndian.Uint16(t[at:]), true
}

// mssAt returns where the value of the option stands, or 0. A malformed option ends the search.
func (t TCP) mssAt() int {
	for at := TCPHeader; at+mssLength <= t.HeaderLen(); {
		switch kind, length := t[at], int(t[at+1]); {
		case kind == 0:
			return 0
		case kind == 1:
			at++
		case length < 2:
			return 0
		case kind == optionMSS && length == mssLength:
			return at + 2
		default:
			at += length
		}
	}
	return 0
}

// SetMSS changes the option of a segment that has it. With partial the sender has left the checksum to a device, which
// will cover the value when it computes the sum; else the checksum is updated.
func (t TCP) SetMSS(mss uint16, partial bool) {
	at := t.mssAt()
	before, after := binary.BigEndian.Uint16(t[at:]), mss
	binary.BigEndian.PutUint16(t[at:], mss)
	if partial {
		return
	}
	if at%2 == 1 { // the value's octets lie in two words of the sum
		before, after = bits.ReverseBytes16(before), bits.ReverseBytes16(after)
	}
	sum := binary.BigEndian.Uint16(t[TCPChecksum:])
	binary.BigEndian.PutUint16(t[TCPChecksum:], UpdateChecksum(sum, before, after))
}

// MSSRoom is by how many bytes InsertMSS makes a packet longer.
const MSSRoom = mssLength

// HasMSSRoom reports whether the header can be longer by the option.
func (t TCP) HasMSSRoom() bool { return t.HeaderLen()+mssLength <= 15*4 }

// InsertMSS puts the option first among those of a segment without data, and makes lengths and checksums true of the longer
// packet. The last MSSRoom bytes of p are the room for it; HasMSSRoom must hold.
func InsertMSS(p IP, mss uint16) {
	t := TCP(p.Payload())
	copy(t[TCPHeader+mssLength:], t[TCPHeader:len(t)-mssLength])
	putMSS(t[TCPHeader:], mss)
	t[12] += mssLength / 4 << 4
	t.SetChecksum(p.Src(), p.Dst())
	p.SetLength()
	p.SetChecksum()
}

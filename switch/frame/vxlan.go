package frame

import (
	"encoding/binary"
	"net/netip"
)

// VXLANHeader is the length of a VXLAN header in bytes (RFC 7348 5): flags, 24 bits 0, the VNI in 24 bits, 8 bits 0.
const VXLANHeader = 8

// vxlanHasVNI is the flag I.
const vxlanHasVNI = 0x08

// PutVXLAN writes a VXLAN header.
func PutVXLAN(b []byte, vni uint32) {
	binary.BigEndian.PutUint32(b, vxlanHasVNI<<24)
	binary.BigEndian.PutUint32(b[4:], vni<<8)
}

// ParseVXLAN reads the header of a datagram; ok is false if there is none, or none with a VNI. All other bits are ignored.
func ParseVXLAN(b []byte) (vni uint32, ok bool) {
	if len(b) < VXLANHeader || b[0]&vxlanHasVNI == 0 {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[4:]) >> 8, true
}

// Envelope is the packet of UDP in which something travels. Both ends are of IPv4, or both of IPv6.
type Envelope struct {
	Src, Dst netip.AddrPort
	TTL, TOS uint8
}

// Append appends the packet with a payload that has length bytes, of which payload may be the first ones only. IPv4 has DF and the
// identification 0. A packet that is not there as a whole has no checksum of UDP.
func (e Envelope) Append(b, payload []byte, length int) []byte {
	start, at := len(b), IPv4Header
	if e.Dst.Addr().Is6() {
		at = IPv6Header
	}
	b = append(append(b, make([]byte, at+UDPHeader)...), payload...)
	packet, datagram := b[start:], min(UDPHeader+length, 1<<16-1-at)
	if at == IPv4Header {
		p := PutIPv4(packet, ProtoUDP, e.TTL, 0, e.Src.Addr(), e.Dst.Addr())
		binary.BigEndian.PutUint16(p[2:], uint16(at+datagram))
		p.SetTOS(e.TOS)
		p.SetFragment(true, false, 0)
		p.SetChecksum()
	} else {
		p := PutIPv6(packet, ProtoUDP, e.TTL, e.Src.Addr(), e.Dst.Addr())
		binary.BigEndian.PutUint32(p, 6<<28|uint32(e.TOS)<<20)
		binary.BigEndian.PutUint16(p[4:], uint16(datagram))
	}
	udp := PutUDP(packet[at:], e.Src.Port(), e.Dst.Port())
	binary.BigEndian.PutUint16(udp[4:], uint16(datagram))
	if len(udp) == datagram {
		binary.BigEndian.PutUint16(udp[UDPChecksum:], notZero(Checksum(udp, PseudoHeader(ProtoUDP, e.Src.Addr(), e.Dst.Addr(), datagram))))
	}
	return b
}

// Explicit congestion notification, the last two bits of the type of service (RFC 3168).
const (
	ECNMask = 3
	ECNCE   = 3 // a router on the way was congested
)

// ECN returns the mark of the packet in a frame; 0 stands for a sender that understands none, and for what is no IP.
func (e Ethernet) ECN() uint8 {
	switch p := e.Payload(); {
	case e.Type() == TypeIPv4 && len(p) >= IPv4Header:
		return p[1] & ECNMask
	case e.Type() == TypeIPv6 && len(p) >= IPv6Header:
		return p[1] >> 4 & ECNMask
	}
	return 0
}

// MarkCongestion gives the packet in a frame the mark of an outer one that met congestion. It returns false if the packet's sender does
// not understand it: then the packet is to be lost, which is what such a sender understands (RFC 6040 4.2). What is no IP has no
// marks.
func (e Ethernet) MarkCongestion() bool {
	if e.Type() != TypeIPv4 && e.Type() != TypeIPv6 {
		return true
	}
	p := e.Payload()
	switch mark := e.ECN(); {
	case mark == 0:
		return false
	case mark == ECNCE:
	case e.Type() == TypeIPv6:
		p[1] |= ECNCE << 4
	default:
		before := binary.BigEndian.Uint16(p)
		p[1] |= ECNCE
		binary.BigEndian.PutUint16(p[10:], UpdateChecksum(binary.BigEndian.Uint16(p[10:]), before, binary.BigEndian.Uint16(p)))
	}
	return true
}

package vxlan

import (
	"encoding/binary"
	"net/netip"

	"uswitch/switch/frame"
)

// DefaultPort is IANA's, which Docker uses too; Linux' own default and flannel's is 8472.
const DefaultPort = 4789

// DefaultTTL is that of outer packets.
const DefaultTTL = 64

// MaxVNI is the largest of the 24 bits.
const MaxVNI = 1<<24 - 1

// HeaderLength is that of a VXLAN header in bytes.
const HeaderLength = 8

const hasVNI = 0x08 // the flag I

// Overhead is by how much a network's MTU is smaller than that of the outer one, in bytes, over which the machine at a is reached:
// outer IP and UDP, VXLAN, and the inner Ethernet header.
func Overhead(a netip.Addr) int {
	ip := frame.IPv4Header
	if a.Is6() {
		ip = 40
	}
	return ip + frame.UDPHeader + HeaderLength + frame.EthernetHeader
}

// putHeader writes a VXLAN header.
func putHeader(b []byte, vni uint32) {
	binary.BigEndian.PutUint32(b, hasVNI<<24)
	binary.BigEndian.PutUint32(b[4:], vni<<8)
}

// parse reads a datagram's header; ok is false if there is none, or none with a VNI. All bits but the flag I and the VNI are
// ignored (RFC 7348 section 5).
func parse(b []byte) (vni uint32, ok bool) {
	if len(b) < HeaderLength || b[0]&hasVNI == 0 {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[4:]) >> 8, true
}

// Explicit congestion notification, the last two bits of the type of service (RFC 3168).
const (
	ecnMask    = 3
	congestion = 3 // CE
)

// ecn returns the mark of the packet in a frame; 0 stands for a sender that understands none, and for what is no IP.
func ecn(data []byte) uint8 {
	e, ok := frame.ParseEthernet(data)
	if !ok {
		return 0
	}
	p := e.Payload()
	switch {
	case e.Type() == frame.TypeIPv4 && len(p) >= frame.IPv4Header:
		return p[1] & ecnMask
	case e.Type() == frame.TypeIPv6 && len(p) >= 2:
		return p[1] >> 4 & ecnMask
	}
	return 0
}

// mark gives the inner packet the mark of an outer one that met congestion. It returns false if the inner sender does not understand
// it: then the packet is lost, which is what such a sender understands (RFC 6040 section 4.2). What is no IP has no marks.
func mark(data []byte) bool {
	e, ok := frame.ParseEthernet(data)
	if !ok || e.Type() != frame.TypeIPv4 && e.Type() != frame.TypeIPv6 {
		return true
	}
	inner := ecn(data)
	p := e.Payload()
	switch {
	case inner == 0:
		return false
	case inner == congestion:
	case e.Type() == frame.TypeIPv6:
		p[1] |= congestion << 4
	default:
		ip := frame.IPv4(p)
		before := binary.BigEndian.Uint16(p)
		ip.SetTOS(p[1] | congestion)
		sum := binary.BigEndian.Uint16(p[10:])
		binary.BigEndian.PutUint16(p[10:], frame.UpdateChecksum(sum, before, binary.BigEndian.Uint16(p)))
	}
	return true
}

// flowOf hashes what the packets of one flow have in common: the outer source port is chosen by it, so that routers on the way spread
// flows over their links, and keep each in order (RFC 7348 section 5).
func flowOf(data []byte) uint32 {
	e, ok := frame.ParseEthernet(data)
	if !ok {
		return 0
	}
	h := uint64(14695981039346656037)
	add := func(b []byte) {
		for _, c := range b {
			h = (h ^ uint64(c)) * 1099511628211 // FNV-1a
		}
	}
	p := e.Payload()
	switch {
	case e.Type() == frame.TypeIPv4 && len(p) >= frame.IPv4Header+4:
		ip := frame.IPv4(p)
		add(p[12:20])
		add(p[9:10])
		if at := ip.HeaderLen(); !ip.IsFragment() && frame.ProtoHasPorts(ip.Proto()) && at+4 <= len(p) {
			add(p[at : at+4])
		}
	case e.Type() == frame.TypeIPv6 && len(p) >= 44:
		add(p[8:40])
		add(p[6:7])
		if frame.ProtoHasPorts(p[6]) {
			add(p[40:44])
		}
	default:
		add(data[:12])
	}
	return uint32(h ^ h>>32)
}

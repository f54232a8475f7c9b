package trace

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"uswitch/switch/frame"
)

// Outer is the packet in which a tunnel carries a frame between two machines: VXLAN over UDP over IP (RFC 7348 section 5). The
// zero value stands for none.
type Outer struct {
	Src, Dst netip.AddrPort
	VNI      uint32
	TTL, TOS uint8
	Raw      bool // there is no VXLAN header: the event's frame is what the datagram held
}

// vxlanHeader is flags, 24 bits reserved, the VNI, 8 bits reserved.
const vxlanHeader, vxlanHasVNI = 8, 0x08

// IsValid reports whether there is such a packet.
func (o Outer) IsValid() bool { return o.Dst.IsValid() }

// String is what the trace says of it; empty for none.
func (o Outer) String() string {
	switch {
	case !o.IsValid():
		return ""
	case o.Raw:
		return fmt.Sprintf("in UDP %v > %v", o.Src, o.Dst)
	}
	return fmt.Sprintf("in UDP %v > %v, VNI %d", o.Src, o.Dst, o.VNI)
}

// Append appends the outer packet with a frame inside, of which length bytes were there; inner may be the first of them only. What
// a socket does not tell of it, the identification of IPv4, is 0; IPv4 has DF, as no tunnel's packet is ever cut. A packet
// that is not there as a whole has no checksum.
func (o Outer) Append(b, inner []byte, length int) []byte {
	start, v4 := len(b), o.Dst.Addr().Is4()
	at, headers := frame.IPv4Header, frame.UDPHeader+vxlanHeader
	if !v4 {
		at = frame.IPv6Header
	}
	if o.Raw {
		headers = frame.UDPHeader
	}
	b = append(b, make([]byte, at+headers)...)
	b = append(b, inner...)
	packet, datagram := b[start:], min(headers+length, 1<<16-1-at)
	var pseudo uint32
	if v4 {
		p := frame.PutIPv4(packet, frame.ProtoUDP, o.TTL, 0, o.Src.Addr(), o.Dst.Addr())
		binary.BigEndian.PutUint16(p[2:], uint16(at+datagram))
		p.SetTOS(o.TOS)
		p.SetFragment(true, false, 0)
		p.SetChecksum()
		pseudo = frame.PseudoHeader(frame.ProtoUDP, o.Src.Addr(), o.Dst.Addr(), datagram)
	} else {
		binary.BigEndian.PutUint32(packet, 6<<28|uint32(o.TOS)<<20)
		binary.BigEndian.PutUint16(packet[4:], uint16(datagram))
		packet[6], packet[7] = frame.ProtoUDP, o.TTL
		src, dst := o.Src.Addr().As16(), o.Dst.Addr().As16()
		copy(packet[8:], src[:])
		copy(packet[24:], dst[:])
		pseudo = uint32(^frame.Checksum(packet[8:frame.IPv6Header], uint32(frame.ProtoUDP)+uint32(datagram)))
	}
	udp := frame.PutUDP(packet[at:], o.Src.Port(), o.Dst.Port())
	binary.BigEndian.PutUint16(udp[4:], uint16(datagram))
	if !o.Raw {
		binary.BigEndian.PutUint32(udp[frame.UDPHeader:], vxlanHasVNI<<24)
		binary.BigEndian.PutUint32(udp[frame.UDPHeader+4:], o.VNI<<8)
	}
	if len(udp) == datagram {
		sum := frame.Checksum(udp, pseudo)
		if sum == 0 {
			sum = 0xffff // 0 stands for none (RFC 768)
		}
		binary.BigEndian.PutUint16(udp[frame.UDPChecksum:], sum)
	}
	return b
}

// aboutTunnels says why a frame goes to a machine, or what its arrival tells of its sender.
func (e *Event) aboutTunnels() string {
	there := "there"
	if e.Outer.IsValid() && e.Hook == Encap {
		there = e.Outer.Dst.Addr().String()
	} else if e.Outer.IsValid() {
		there = e.Outer.Src.Addr().String()
	}
	switch e.Note {
	case TunnelLearned:
		return e.station() + " was learned from " + there + " " + ago(e.Age)
	case TunnelStatic:
		return e.station() + " is behind " + there + " as configured"
	case TunnelFlood:
		peers := "to the one peer"
		if e.Count != 1 {
			peers = "to all " + commas(uint64(e.Count)) + " peers"
		}
		switch {
		case e.MAC.IsBroadcast():
			return peers + ": a broadcast"
		case e.MAC.IsGroup():
			return peers + ": a frame to a group"
		}
		return peers + ": nobody knows " + e.station()
	case TunnelHeard:
		return e.station() + " lives behind " + there + ", as is known"
	case TunnelNew:
		return e.station() + " lives behind " + there
	case TunnelMoved:
		return e.station() + " has moved from " + e.address() + " to " + there
	case TunnelFull:
		return e.station() + " is not remembered behind " + there + ": the table is full"
	}
	return ""
}

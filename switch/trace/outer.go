package trace

import (
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
// a socket does not tell of it, the identification of IPv4, is 0; IPv4 has DF, as no tunnel's packet is ever cut.
func (o Outer) Append(b, inner []byte, length int) []byte {
	e := frame.Envelope{Src: o.Src, Dst: o.Dst, TTL: o.TTL, TOS: o.TOS}
	if o.Raw {
		return e.Append(b, inner, length)
	}
	var header [frame.VXLANHeader]byte
	frame.PutVXLAN(header[:], o.VNI)
	return e.Append(b, append(header[:], inner...), len(header)+length)
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

package trace

import (
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

// text is what the trace says of it; empty for none.
func (o Outer) text(in Language) string {
	switch {
	case !o.IsValid():
		return ""
	case o.Raw:
		return in("in UDP %v > %v", o.Src, o.Dst)
	}
	return in("in UDP %v > %v, VNI %d", o.Src, o.Dst, o.VNI)
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
func (e *Event) aboutTunnels(in Language) string {
	there := in("there")
	if e.Outer.IsValid() && e.Hook == Encap {
		there = e.Outer.Dst.Addr().String()
	} else if e.Outer.IsValid() {
		there = e.Outer.Src.Addr().String()
	}
	switch e.Note {
	case TunnelLearned:
		return in("%s was learned from %s %s", e.station(in), there, ago(in, e.Age))
	case TunnelStatic:
		return in("%s is behind %s as configured", e.station(in), there)
	case TunnelFlood:
		peers := in("to the one peer")
		if e.Count != 1 {
			peers = in("to all %s peers", commas(uint64(e.Count)))
		}
		switch {
		case e.MAC.IsBroadcast():
			return in("%s: a broadcast", peers)
		case e.MAC.IsGroup():
			return in("%s: a frame to a group", peers)
		}
		return in("%s: nobody knows %s", peers, e.station(in))
	case TunnelHeard:
		return in("%s lives behind %s, as is known", e.station(in), there)
	case TunnelNew:
		return in("%s lives behind %s", e.station(in), there)
	case TunnelMoved:
		return in("%s has moved from %s to %s", e.station(in), e.address(in), there)
	case TunnelFull:
		return in("%s is not remembered behind %s: the table is full", e.station(in), there)
	}
	return ""
}

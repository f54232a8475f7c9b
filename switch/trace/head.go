package trace

import (
	"net/netip"

	"uswitch/switch/frame"
)

// Names tells the names that people gave to addresses. Either method returns false for an address without one.
type Names interface {
	Name(netip.Addr) (string, bool)
	NameMAC(frame.MAC) (string, bool)
}

// Knowing is a Names that knows who may ask for whom by name.
type Knowing interface {
	Names
	// Unknown says in a language why a name that somebody has means nothing to an asker; ok is false if it does, and if nobody has it.
	Unknown(in Language, asker netip.Addr, name string) (why string, ok bool)
}

// Head is what the first line of a journey says about its packet, as tcpdump would in a line.
type Head struct {
	From, To string // RED, everyone, 8.8.8.8, or a MAC address
	Proto    string // ARP, ICMP, TCP, UDP ...
	What     string // echo request, id 7 seq 1, ttl 64
	Length   int    // of the whole frame in bytes
	IP       bool   // Length begins at the IP header: the packet was in no frame
}

// Summary is the head on one line: RED > 8.8.8.8  ICMP echo request, id 7 seq 1, ttl 64.
func (h Head) Summary() string { return h.From + " > " + h.To + "  " + h.Proto + " " + h.What }

// Head describes the event's frame as it is at this hop, to a reader of that language. names may be nil. Whatever the bytes are,
// it does not fail.
func (e *Event) Head(in Language, names Names) Head {
	n := namer{names, in}
	h := Head{Length: e.length(), IP: e.IP, From: "?", To: "?", Proto: "?", What: in("too short to read")}
	if e.Outer.Raw {
		h.From, h.To, h.Proto, h.What = n.ip(e.Outer.Src.Addr()), n.ip(e.Outer.Dst.Addr()), "UDP", in("to a tunnel's port")
	} else if eth, ok := frame.ParseEthernet(e.Frame.Data); ok && !e.IP {
		h.From, h.To = n.mac(eth.Src()), n.mac(eth.Dst())
	}
	if etherType, payload, ok := e.layers(); ok {
		h.describe(etherType, payload, n)
	}
	h.From = e.sender(h.From, n)
	h.From, h.To, h.What = Printable(h.From), Printable(h.To), Printable(h.What)
	return h
}

// sender is who has sent a packet that says that it is claimed's. The switch knows the port by which it came, and whoever
// uses an address of another's there is named by the port: EVIL as RED. Once a packet has been translated, or is somebody
// else's, its port says nothing of its addresses.
func (e *Event) sender(claimed string, n namer) string {
	came := or(e.Came, map[bool]string{true: e.Port}[e.Hook <= Bridge && !e.IP && e.Verdict != Unicast])
	if came == "" || came == claimed || e.Outer.IsValid() /* the port is to another machine, on which the sender is */ || e.Hook > Forward || !n.isName(claimed) {
		return claimed
	}
	return n.in("%s as %s", came, claimed)
}

// describe fills in Proto and What, and From and To where the payload knows better than the Ethernet header.
func (h *Head) describe(etherType uint16, payload []byte, n namer) {
	switch etherType {
	case frame.TypeARP:
		h.Proto = "ARP"
		if a, ok := frame.ParseARP(payload); ok {
			h.arp(a, n)
		}
	case frame.TypeIPv4:
		h.Proto = "IPv4"
		if p, ok := frame.ParseClippedIPv4(payload); ok {
			h.packet(frame.IP(p), n)
		} else {
			h.What = n.in("a damaged header")
		}
	case frame.TypeIPv6:
		h.Proto = "IPv6"
		if p, ok := frame.ParseClippedIPv6(payload); ok {
			h.packet(frame.IP(p), n)
		}
	case frame.TypeVLAN:
		h.vlan(payload, n)
	default:
		h.Proto, h.What = etherTypeWords(n.in, etherType)
	}
}

// vlan describes what stands behind an 802.1Q tag: three bits of priority, one of DEI, twelve of VLAN id; then a type.
func (h *Head) vlan(payload []byte, n namer) {
	h.Proto = "VLAN"
	if len(payload) < 4 {
		return
	}
	id, inner := int(payload[0]&15)<<8|int(payload[1]), *h
	etherType := uint16(payload[2])<<8 | uint16(payload[3])
	if etherType == frame.TypeVLAN {
		h.What = n.in("tag %d, and another inside", id)
		return
	}
	inner.describe(etherType, payload[4:], n)
	h.What = n.in("tag %d: %s %s", id, inner.Proto, inner.What)
}

func (h *Head) arp(a frame.ARP, n namer) {
	if _, known := n.nameMAC(a.SenderMAC()); !known && !a.SenderIP().IsUnspecified() {
		h.From = n.ip(a.SenderIP())
	}
	switch {
	case a.IsProbe():
		h.What = n.in("who has %v? (a probe: may I have it?)", a.TargetIP())
	case a.IsAnnouncement():
		h.What = n.in("%v is at %v (announced)", a.SenderIP(), a.SenderMAC())
	case a.Op() == frame.ARPRequest:
		h.What = n.in("who has %v? tell %v", a.TargetIP(), a.SenderIP())
	case a.Op() == frame.ARPReply:
		h.What = n.in("%v is at %v", a.SenderIP(), a.SenderMAC())
	default:
		h.What = n.in("operation %d, which nobody uses", a.Op())
	}
}

// etherTypeWords names the frames that wander about in real networks (IEEE 802 numbers).
func etherTypeWords(in Language, etherType uint16) (proto, what string) {
	if etherType < 0x0600 {
		return "LLC", in("an 802.3 frame of %d bytes", etherType)
	}
	known := map[uint16]string{
		0x0842: "wake-on-LAN", 0x22f0: "AVTP", 0x8035: "reverse ARP", 0x8100: "VLAN", 0x8809: "LACP", 0x8847: "MPLS",
		0x8863: "PPPoE discovery", 0x8864: "PPPoE", 0x888e: "802.1X", 0x88a8: "stacked VLAN", 0x88cc: "LLDP", 0x88f7: "PTP",
	}
	what = in("type 0x%04x", etherType)
	if name, ok := known[etherType]; ok {
		what += " (" + name + ")"
	}
	return "Eth", what
}

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

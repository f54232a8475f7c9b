package sim

import (
	"net/netip"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// arrive takes a packet that an interface has brought: it is the host's, or it goes on, or it ends here.
func (h *Host) arrive(c *NIC, b []byte, toGroup bool) {
	ip, ok := parse(b)
	if !ok {
		return
	}
	if c.taken != "" {
		h.tell(Step{Kind: StepArrive, NIC: c.name, Packet: ip, Unknown: c.name + " of " + h.name + " belongs to " + c.taken + " inside: not looked at"})
		return
	}
	if !h.pass(AtIngress, c.name, ip, ip.Dst()) || !h.pass(AtPrerouting, c.name, ip, ip.Dst()) {
		return
	}
	l := lookupOf(ip)
	l.In = c.name
	d := h.decide(l)
	s := Step{Kind: StepArrive, NIC: c.name, Packet: ip, Decision: d, Unknown: d.Unknown}
	switch d.Kind {
	case Local, Broadcast, Multicast:
		h.tell(s)
		if h.pass(AtInput, c.name, ip, ip.Dst()) {
			h.by = c
			h.take(ip, toGroup || d.Kind != Local)
			h.by = nil
		}
	case Unicast:
		h.tell(s)
		if !toGroup { // who hears a broadcast does not send it on (RFC 1812 5.3.4)
			h.forward(c, ip, d)
		}
	default:
		s.Drop = h.refusalOf(c, ip, d)
		h.tell(s)
		if code, ok := refusalCodes[d.Kind]; ok && c.forwards && s.Drop != DropMartian {
			h.sendError(ip, toGroup, frame.ICMPUnreachable, code, 0)
		}
	}
}

// refusalCodes are what a router tells a sender (ip_error of net/ipv4/route.c).
var refusalCodes = map[RouteKind]uint8{Unreachable: frame.UnreachableHost, NoRoute: frame.UnreachableNet, Prohibit: 13}

// refusalOf names why a packet that has come in goes nowhere.
func (h *Host) refusalOf(c *NIC, ip frame.IP, d Decision) string {
	switch {
	case d.Kind == Blackhole && d.Text == "":
		return DropMartian
	case d.Kind == Unreachable && !c.forwards:
		return DropNotForward
	}
	return dropOf(d.Kind)
}

// dropOf names the end that a kind of route is.
func dropOf(k RouteKind) string {
	switch k {
	case Blackhole:
		return DropBlackhole
	case Unreachable:
		return DropUnreachable
	case Prohibit:
		return DropProhibit
	}
	return trace.NoRoute.String()
}

// forward sends a packet on, as a router does (ip_forward of net/ipv4/ip_forward.c).
func (h *Host) forward(in *NIC, ip frame.IP, d Decision) {
	s := Step{Kind: StepForward, NIC: in.name, Packet: ip, Decision: d}
	if ip.TTL() <= 1 {
		s.Drop = trace.TTLExpired.String()
		h.tell(s)
		h.sendError(ip, false, frame.ICMPTimeExceeded, 0, 0)
		return
	}
	if !h.pass(AtForward, in.name, ip, ip.Dst()) {
		return
	}
	out, ok := h.NIC(d.NIC)
	if !ok {
		s.Unknown = h.name + " sends it on by " + d.NIC + ", which is no interface of the lab's: not looked at"
		h.tell(s)
		return
	}
	mtu := out.mtu
	if d.MTU > 0 {
		mtu = min(mtu, d.MTU)
	}
	if len(ip) > mtu && (!ip.Is4() || frame.IPv4(ip).DontFragment()) { // no router cuts a packet of IPv6
		s.Drop = trace.FragNeeded.String()
		h.tell(s)
		h.sendError(ip, false, frame.ICMPUnreachable, frame.UnreachableTooBig, uint16(mtu))
		return
	}
	h.tell(s)
	if !h.pass(AtPostrouting, out.name, ip, ip.Dst()) {
		return
	}
	for _, b := range cut(ip, mtu, 0) {
		frame.IP(b[frame.EthernetHeader:]).DecrementTTL()
		h.leave(b, d)
	}
}

// cut returns a packet with room for the Ethernet header in front, in pieces of at most mtu bytes (RFC 791 3.2); id is what those of
// IPv6 share (RFC 8200 4.5).
func cut(ip frame.IP, mtu int, id uint32) (pieces [][]byte) {
	if len(ip) <= mtu {
		return [][]byte{append(make([]byte, frame.EthernetHeader, frame.EthernetHeader+len(ip)), ip...)}
	}
	room := ip.FragmentRoom(mtu)
	for offset := 0; offset < ip.Divisible(); {
		var b []byte
		b, offset = ip.AppendFragment(make([]byte, frame.EthernetHeader), offset, room, id)
		pieces = append(pieces, b)
	}
	return pieces
}

// leave puts a packet, with room in front, onto the wire that a decision names.
func (h *Host) leave(b []byte, d Decision) {
	ip := frame.IP(b[frame.EthernetHeader:])
	nic, ok := h.NIC(d.NIC)
	if !ok {
		h.tell(Step{Kind: StepNIC, NIC: d.NIC, Packet: ip, Unknown: h.name + " sends it by " + d.NIC + ", which is no interface of the lab's: not looked at"})
		return
	}
	if nic.taken != "" {
		h.tell(Step{Kind: StepNIC, NIC: nic.name, Packet: ip, Unknown: nic.name + " of " + h.name + " belongs to " + nic.taken + " inside: not looked at"})
	}
	if !h.pass(AtEgress, nic.name, ip, ip.Dst()) {
		return
	}
	switch {
	case d.Kind == Broadcast:
		nic.sendTo(b, frame.Broadcast)
	case d.Kind == Multicast:
		nic.sendTo(b, groupMAC(ip.Dst()))
	case d.Via.IsValid():
		nic.transmit(b, d.Via)
	default:
		nic.transmit(b, ip.Dst())
	}
}

// groupMAC returns the hardware address of a group (RFC 1112 6.4, RFC 2464 7).
func groupMAC(group netip.Addr) frame.MAC {
	if group.Is6() {
		return frame.GroupMAC(group)
	}
	a := group.As4()
	return frame.MAC{1, 0, 0x5e, a[1] & 0x7f, a[2], a[3]}
}

package frame

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Tuple is one direction of a flow. It is small, without pointers, and comparable, so that it can be a map's key. An
// ICMP query has its identifier in both ports, as the kernel's conntrack has it; other protocols have no ports.
type Tuple struct {
	SrcIP, DstIP     Addr
	SrcPort, DstPort uint16
	Proto            uint8
}

// TupleOf reads the tuple of a packet. ok is false where there is none to read: a fragment that is not the first, a
// transport header that is cut short, an ICMP error (its own flow is the packet that it quotes).
func TupleOf(p IPv4) (t Tuple, ok bool) { return IP(p).Tuple() }

// Tuple is TupleOf for a packet of either family. There is none either for what the stations of a link say to find each other,
// and for ICMP of the other family, which nobody answers.
func (p IP) Tuple() (t Tuple, ok bool) {
	t.SrcIP, t.DstIP = p.ends()
	t.Proto = p.Proto()
	if p.FragmentOffset() != 0 {
		return t, false
	}
	payload := p.Payload()
	switch t.Proto {
	case ProtoTCP, ProtoUDP, ProtoUDPLite, ProtoSCTP, ProtoDCCP:
		if len(payload) < UDPHeader {
			return t, false
		}
		t.SrcPort, t.DstPort = binary.BigEndian.Uint16(payload[0:2]), binary.BigEndian.Uint16(payload[2:4])
	case ProtoICMP, ProtoICMPv6:
		if !p.IsICMPQuery() {
			return t, false
		}
		id := ICMP(payload).ID()
		t.SrcPort, t.DstPort = id, id
	}
	return t, true
}

// Src returns the source address.
func (t Tuple) Src() netip.Addr { return t.SrcIP.IP() }

// Dst returns the destination address.
func (t Tuple) Dst() netip.Addr { return t.DstIP.IP() }

// Reply returns the tuple of the answer.
func (t Tuple) Reply() Tuple {
	return Tuple{SrcIP: t.DstIP, DstIP: t.SrcIP, SrcPort: t.DstPort, DstPort: t.SrcPort, Proto: t.Proto}
}

// HasPorts reports whether the ports are ports; for ICMP they are the identifier.
func (t Tuple) HasPorts() bool { return ProtoHasPorts(t.Proto) }

// ProtoHasPorts reports whether an IP protocol has ports, the first four bytes of its header.
func ProtoHasPorts(proto uint8) bool {
	switch proto {
	case ProtoTCP, ProtoUDP, ProtoUDPLite, ProtoSCTP, ProtoDCCP:
		return true
	}
	return false
}

// Source returns the source as people write it: 11.11.11.2:1818, for ICMP 11.11.11.2 id 7.
func (t Tuple) Source() string { return t.end(t.Src(), t.SrcPort) }

// Destination returns the destination as people write it.
func (t Tuple) Destination() string { return t.end(t.Dst(), t.DstPort) }

func (t Tuple) end(a netip.Addr, port uint16) string {
	switch {
	case t.HasPorts():
		return netip.AddrPortFrom(a, port).String()
	case IsICMP(t.Proto):
		return fmt.Sprintf("%v id %d", a, port)
	}
	return a.String()
}

// ProtoName returns the name that iptables and people use for an IP protocol number, or the number itself.
func ProtoName(proto uint8) string {
	switch proto {
	case ProtoICMP:
		return "icmp"
	case ProtoTCP:
		return "tcp"
	case ProtoUDP:
		return "udp"
	case ProtoUDPLite:
		return "udplite"
	case ProtoSCTP:
		return "sctp"
	case ProtoDCCP:
		return "dccp"
	case ProtoICMPv6:
		return "icmpv6"
	}
	return fmt.Sprint(proto)
}

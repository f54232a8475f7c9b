package tcpdump

import (
	"fmt"
	"net/netip"
	"slices"

	"uswitch/switch/frame"
)

// packet is an IP packet on its way through the printers.
type packet struct {
	src, dst netip.Addr
	proto    uint8
	payload  []byte // as far as there are bytes
	length   int    // of the payload, as the header says
	ttl      uint8
	fragment bool // the first of several
	shown    bool // both ends have been printed
}

// ends writes both ends, with ports if there are any.
func (k packet) ends(ports ...uint16) string {
	if len(ports) == 2 && k.shown {
		return fmt.Sprintf("%d > %d: ", ports[0], ports[1])
	}
	if len(ports) == 2 {
		return fmt.Sprintf("%v.%d > %v.%d: ", k.src, ports[0], k.dst, ports[1])
	}
	return fmt.Sprintf("%v > %v: ", k.src, k.dst)
}

// ipv4 prints a packet (print-ip.c).
func (p *Printer) ipv4(b []byte, bare bool) {
	if len(b) == 0 {
		p.f(" [|ip]")
		return
	}
	header := int(b[0]&0xf) * 4
	if version := b[0] >> 4; version != 4 {
		p.f("IP%d, wrong link-layer encapsulation (invalid)", version)
		return
	}
	p.name("IP ", bare)
	switch {
	case len(b) < frame.IPv4Header:
		p.f(" [|ip]")
		return
	case header < frame.IPv4Header:
		p.f("bad-hlen %d", header)
		return
	}
	total := int(be.Uint16(b[2:]))
	switch {
	case total < header:
		p.f("bad-len %d", total)
		return
	case total > len(b):
		p.f("truncated-ip - %d bytes missing! ", total-len(b))
	}
	src, _ := netip.AddrFromSlice(b[12:16])
	dst, _ := netip.AddrFromSlice(b[16:20])
	end := min(total, len(b))
	k := packet{src: src, dst: dst, proto: b[9], payload: b[min(header, end):end], length: total - header, ttl: b[8], fragment: b[6]&0x20 != 0}
	if be.Uint16(b[6:])&0x1fff != 0 { // a fragment, and not the first
		p.f("%v > %v: ip-proto-%d", src, dst, k.proto)
		return
	}
	p.transport(k, false)
}

// Protocol numbers (IANA).
const (
	protoHopByHop    = 0
	protoIGMP        = 2
	protoIPv4        = 4
	protoIPv6        = 41
	protoRouting     = 43
	protoFragment    = 44
	protoGRE         = 47
	protoESP         = 50
	protoAH          = 51
	protoICMPv6      = 58
	protoNone        = 59
	protoDestination = 60
	protoOSPF        = 89
	protoPIM         = 103
	protoVRRP        = 112
)

// transport prints what an IP packet carries (print-ip-demux.c).
func (p *Printer) transport(k packet, ipv6 bool) {
	switch k.proto {
	case frame.ProtoTCP:
		p.tcp(k)
		return
	case frame.ProtoUDP:
		p.udp(k)
		return
	}
	if !k.shown {
		p.f("%s", k.ends())
	}
	switch k.proto {
	case frame.ProtoICMP:
		if ipv6 {
			p.f("[icmp requires IPv4] (invalid)")
			return
		}
		p.icmp(k)
	case protoICMPv6:
		if !ipv6 {
			p.f("[ipv6-icmp requires IPv6] (invalid)")
			return
		}
		p.icmp6(k.payload, k.length)
	case protoIGMP:
		if ipv6 {
			p.f("[igmp requires IPv4] (invalid)")
			return
		}
		p.igmp(k.payload, k.length)
	case protoIPv4:
		p.ipv4(k.payload, p.Link)
	case protoIPv6:
		p.ipv6(k.payload, p.Link)
	case protoGRE:
		p.gre(k.payload, k.length)
	case protoESP:
		if len(k.payload) < 8 {
			p.f("ESP [|esp]")
			return
		}
		p.f("ESP(spi=0x%08x,seq=0x%x), length %d", be.Uint32(k.payload), be.Uint32(k.payload[4:]), k.length)
	case protoAH:
		p.ah(k, ipv6)
	case protoNone:
		p.f("no next header")
	case protoOSPF:
		p.ospf(k.payload, k.length, ipv6)
	case protoPIM:
		p.pim(k.payload, k.length)
	case protoVRRP:
		p.vrrp(k)
	default:
		p.f(" ip-proto-%d %d", k.proto, k.length)
	}
}

// ah prints an authentication header and what is behind it (RFC 4302 2; print-ah.c).
func (p *Printer) ah(k packet, ipv6 bool) {
	const fixed = 12
	if p.short(k.payload, fixed, "ah") {
		return
	}
	header := (int(k.payload[1]) + 2) * 4
	p.f("AH(spi=0x%08x,seq=0x%x,icv=0x", be.Uint32(k.payload[4:]), be.Uint32(k.payload[8:]))
	if header < fixed || header > len(k.payload) {
		p.f(" [|ah]")
		return
	}
	p.f("%x): ", k.payload[fixed:header])
	k.proto, k.payload, k.length, k.shown = k.payload[0], k.payload[header:], k.length-header, true
	p.transport(k, ipv6)
}

// arp prints an ARP packet (print-arp.c).
func (p *Printer) arp(b []byte, bare bool) {
	a, ok := frame.ParseARP(b)
	if !ok {
		p.f(" [|arp]")
		return
	}
	p.name("ARP, ", bare)
	switch a.Op() {
	case frame.ARPRequest:
		p.f("Request who-has %v ", a.TargetIP())
		if target := a.TargetMAC(); target != (frame.MAC{}) {
			p.f("(%v) ", target)
		}
		p.f("tell %v", a.SenderIP())
	case frame.ARPReply:
		p.f("Reply %v is-at %v", a.SenderIP(), a.SenderMAC())
	case 3:
		p.f("Reverse Request who-is %v tell %v", a.TargetMAC(), a.SenderMAC())
	case 4:
		p.f("Reverse Reply %v at %v", a.TargetMAC(), a.TargetIP())
	case 8:
		p.f("Inverse Request who-is %v tell %v", a.TargetMAC(), a.SenderMAC())
	case 9:
		p.f("Inverse Reply %v at %v", a.SenderMAC(), a.SenderIP())
	default:
		p.f("Unknown (%d) ", a.Op())
		p.dump(b)
		return
	}
	p.f(", length %d", len(b))
}

// Ports whose datagrams are DNS: its own (RFC 1035 4.2.1), and that of multicast DNS (RFC 6762 3).
const (
	portDNS  = 53
	portMDNS = 5353
)

// udp prints a datagram (print-udp.c).
func (p *Printer) udp(k packet) {
	b := k.payload
	if len(b) < 4 {
		p.f("%s [|udp]", k.ends())
		return
	}
	src, dst := be.Uint16(b), be.Uint16(b[2:])
	p.f("%s", k.ends(src, dst))
	if len(b) < 8 {
		p.f("truncated-udp %d", k.length)
		return
	}
	told := int(be.Uint16(b[4:])) - 8
	if told < 0 {
		p.f("truncated-udplength %d", told+8)
		return
	}
	length := min(told, k.length-8)
	payload, isAt := b[8:min(len(b), 8+length)], func(ports ...uint16) bool { return slices.Contains(ports, src) || slices.Contains(ports, dst) }
	switch {
	case isAt(portDNS):
		p.dns(payload, length, false)
	case isAt(portMDNS):
		p.dns(payload, length, true)
	case isAt(67, 68):
		p.dhcp(payload, length)
	case isAt(520):
		p.rip(payload, length)
	case isAt(161, 162):
		p.snmp(payload)
	case isAt(123):
		p.ntp(payload, length)
	case isAt(546, 547):
		p.dhcp6(payload)
	case isAt(4789):
		p.vxlan(payload)
	case told > length && !k.fragment:
		p.f("UDP, bad length %d > %d", told, length)
	default:
		p.f("UDP, length %d", told)
	}
}

package tcpdump

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"uswitch/switch/frame"
)

// packet is an IP packet on its way through the printers.
type packet struct {
	src, dst netip.Addr
	proto    uint8
	payload  []byte // as far as there are bytes
	length   int    // of the payload, as the header says
}

// ends writes both ends, with ports if there are any.
func (k packet) ends(ports ...uint16) string {
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
	total := int(binary.BigEndian.Uint16(b[2:]))
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
	k := packet{src, dst, b[9], b[min(header, end):end], total - header}
	if binary.BigEndian.Uint16(b[6:])&0x1fff != 0 { // a fragment, and not the first
		p.f("%v > %v: ip-proto-%d", src, dst, k.proto)
		return
	}
	p.transport(k)
}

// ipv6 prints a packet without extension headers (print-ip6.c).
func (p *Printer) ipv6(b []byte, bare bool) {
	const header = 40 // RFC 8200 3
	p.name("IP6 ", bare)
	if len(b) < header {
		p.f(" [|ip6]")
		return
	}
	src, _ := netip.AddrFromSlice(b[8:24])
	dst, _ := netip.AddrFromSlice(b[24:40])
	length := int(binary.BigEndian.Uint16(b[4:]))
	p.transport(packet{src, dst, b[6], b[header:min(len(b), header+length)], length})
}

// transport prints what an IP packet carries.
func (p *Printer) transport(k packet) {
	const icmpv6, ipInIP = 58, 4
	switch k.proto {
	case frame.ProtoTCP:
		p.tcp(k)
	case frame.ProtoUDP:
		p.udp(k)
	case frame.ProtoICMP:
		p.f("%s", k.ends())
		p.icmp(k)
	case icmpv6:
		p.f("%sICMP6, length %d", k.ends(), k.length)
	case ipInIP:
		p.f("%s", k.ends())
		p.ipv4(k.payload, p.Link)
	default:
		p.f("%s ip-proto-%d %d", k.ends(), k.proto, k.length)
	}
}

package tcpdump

import "net/netip"

// ipv6 prints a packet (print-ip6.c).
func (p *Printer) ipv6(b []byte, bare bool) {
	const header = 40 // RFC 8200 3
	p.name("IP6 ", bare)
	if p.short(b, header, "ip6") {
		return
	}
	if version := b[0] >> 4; version != 6 {
		p.f("version error: %d != 6", version)
		return
	}
	src, _ := netip.AddrFromSlice(b[8:24])
	dst, _ := netip.AddrFromSlice(b[24:40])
	length := int(be.Uint16(b[4:]))
	if length > len(b)-header {
		p.f("truncated-ip6 - %d bytes missing!", length-(len(b)-header))
	}
	k := packet{src: src, dst: dst, proto: b[6], payload: b[header:min(len(b), header+length)], length: length, ttl: b[7]}
	if p.extensions(&k) {
		p.transport(k, true)
	}
}

// extensions prints the headers between that of IPv6 and the transport's (RFC 8200 4), which say nothing but of fragments.
// It reports whether there is more to print.
func (p *Printer) extensions(k *packet) bool {
	for {
		size := 0
		switch k.proto {
		case protoHopByHop:
			size = p.extension(k, "HBH")
		case protoDestination:
			size = p.extension(k, "DSTOPT")
		case protoRouting:
			size = p.routing(k)
		case protoFragment:
			size = p.fragment6(k)
		default:
			return true
		}
		if size == 0 {
			return false
		}
		k.proto, k.payload, k.length = k.payload[0], k.payload[size:], k.length-size
	}
}

// extension prints the name of a header and returns its size, 0 if its end is missing.
func (p *Printer) extension(k *packet, name string) (size int) {
	if p.ends6(k); len(k.payload) < 8 {
		p.f("[|%s]", name)
		return 0
	}
	if size = (int(k.payload[1]) + 1) * 8; size > len(k.payload) {
		p.f("[|%s]", name)
		return 0
	}
	p.f("%s ", name)
	return size
}

// routing prints a list of nodes to visit (RFC 8200 4.4, RFC 6275 6.4, RFC 8754 2) and returns its size, 0 if it is none.
func (p *Printer) routing(k *packet) (size int) {
	b := k.payload
	if p.ends6(k); len(b) < 8 || len(b) < (int(b[1])+1)*8 {
		p.f("[|rt6]")
		return 0
	}
	p.f("RT6 (len=%d, type=%d", b[1], b[2])
	if b[2] == 0 {
		p.f(" [Deprecated]")
	}
	p.f(", segleft=%d", b[3])
	switch b[2] {
	case 0, 2:
		if reserved := be.Uint32(b[4:]); reserved != 0 {
			p.f(", rsv=0x%x", reserved)
		}
	case 4:
		p.f(", last-entry=%d", b[4])
		if b[5] != 0 {
			p.f(", flags=0x%x", b[5])
		}
		p.f(", tag=%x", be.Uint16(b[6:]))
	default:
		p.f(" (unknown type) (invalid)")
		return 0
	}
	if b[1]%2 == 1 {
		p.f(" (invalid length %d) (invalid)", b[1])
		return 0
	}
	for i := range int(b[1]) / 2 {
		p.f(", [%d]%v", i, v6(b[8+16*i:]))
	}
	p.f(") ")
	return (int(b[1]) + 1) * 8
}

// ends6 prints both ends, once, in front of the first header.
func (p *Printer) ends6(k *packet) {
	if !k.shown {
		p.f("%s", k.ends())
		k.shown = true
	}
}

// fragment6 prints a fragment's header (RFC 8200 4.5). Behind those of later fragments there is nothing to read.
func (p *Printer) fragment6(k *packet) (size int) {
	const header = 8
	p.ends6(k)
	if p.short(k.payload, header, "frag6") {
		return 0
	}
	offset := be.Uint16(k.payload[2:]) &^ 7
	p.f("frag (%d|%d)", offset, k.length-header)
	if offset != 0 {
		return 0
	}
	p.f(" ")
	k.fragment = true
	return header
}

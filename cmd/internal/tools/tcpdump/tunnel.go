package tcpdump

import "uswitch/switch/frame"

// Protocols that carry others.

// typeTEB is the type of Ethernet frames in a tunnel (RFC 7637).
const typeTEB = 0x6558

// gre prints a packet and what it carries (RFC 2784, RFC 2890; print-gre.c). Version 1, of PPTP, is not opened.
func (p *Printer) gre(b []byte, length int) {
	if p.short(b, 2, "gre") {
		return
	}
	flags := be.Uint16(b)
	p.f("GREv%d", flags&7)
	switch flags & 7 {
	case 0:
	case 1:
		p.gre1(b, length)
		return
	default:
		p.f(" ERROR: unknown-version")
		return
	}
	if p.short(b, 4, "gre") {
		return
	}
	proto, rest := be.Uint16(b[2:]), b[4:]
	for _, field := range []struct {
		bits uint16
		form string
	}{{0xc000, ", off 0x%x"}, {0x2000, ", key=0x%x"}, {0x1000, ", seq %d"}} {
		if flags&field.bits == 0 {
			continue
		}
		if p.short(rest, 4, "gre") {
			return
		}
		n := be.Uint32(rest)
		if field.bits == 0xc000 {
			n &= 0xffff // behind the checksum
		}
		p.f(field.form, n)
		rest = rest[4:]
	}
	if p.Link {
		p.f(", proto %s (0x%04x)", typeName(proto), proto)
	}
	p.f(", length %d: ", length)
	p.inner(proto, rest)
}

// gre1 prints the header of PPTP's version (RFC 2637 4.1).
func (p *Printer) gre1(b []byte, length int) {
	if p.short(b, 4, "gre") {
		return
	}
	flags, proto, rest := be.Uint16(b), be.Uint16(b[2:]), b[4:]
	for _, field := range []struct {
		bit  uint16
		form string
	}{{0x2000, ", call %d"}, {0x1000, ", seq %d"}, {0x0080, ", ack %d"}} {
		if flags&field.bit == 0 {
			continue
		}
		if p.short(rest, 4, "gre") {
			return
		}
		n := be.Uint32(rest)
		if field.bit == 0x2000 {
			n &= 0xffff // behind the payload's length
		}
		p.f(field.form, n)
		rest = rest[4:]
	}
	if flags&0x1000 == 0 {
		p.f(", no-payload")
	}
	if p.Link {
		p.f(", proto %s (0x%04x)", typeName(proto), proto)
	}
	p.f(", length %d", length)
	if flags&0x1000 != 0 {
		p.f(": gre-proto-0x%x", proto)
	}
}

// inner prints what a tunnel carries.
func (p *Printer) inner(proto uint16, b []byte) {
	switch proto {
	case frame.TypeIPv4:
		p.ipv4(b, p.Link)
	case frame.TypeIPv6:
		p.ipv6(b, p.Link)
	case typeTEB:
		p.ethernet(b)
	default:
		p.f("gre-proto-0x%x", proto)
	}
}

// vxlan prints the header and the frame behind it (RFC 7348 5; print-vxlan.c).
func (p *Printer) vxlan(b []byte) {
	p.f("VXLAN")
	if len(b) < 8 {
		p.f(" (invalid)")
		return
	}
	p.f(", flags [%s] (0x%02x), vni %d\n", bits{{8, "I"}}.of(b[0], "invalid"), b[0], be.Uint32(b[4:])>>8)
	p.ethernet(b[8:])
}

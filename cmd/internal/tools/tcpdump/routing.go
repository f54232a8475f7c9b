package tcpdump

import "fmt"

// Protocols by which routers and hosts agree on routes, groups and addresses.

var ospfTypes = map[uint8]string{1: "Hello", 2: "Database Description", 3: "LS-Request", 4: "LS-Update", 5: "LS-Ack"}

// ospf prints a message of OSPF version 2 or 3 (print-ospf.c, print-ospf6.c).
func (p *Printer) ospf(b []byte, length int, ipv6 bool) {
	const digest = 16 // behind a message with cryptographic authentication (RFC 2328 D.4.3)
	protocol, unknown := "ospf2", "unknown LS-type %d"
	if ipv6 {
		protocol, unknown = "ospf3", "unknown packet type (%d)"
	}
	if p.short(b, 2, protocol) {
		return
	}
	if !ipv6 && len(b) >= 16 && be.Uint16(b[14:]) == 2 {
		length -= digest
	}
	p.f("OSPFv%d, %s, length %d", b[0], word(ospfTypes, b[1], unknown), length)
}

// igmp prints a message (RFC 3376; print-igmp.c).
func (p *Printer) igmp(b []byte, length int) {
	if p.short(b, 1, "igmp") || b[0] >= 0x11 && b[0] <= 0x22 && p.short(b, 8, "igmp") {
		return
	}
	odd := func() {
		if length != 8 {
			p.f(" [len %d]", length)
		}
	}
	switch b[0] {
	case 0x11:
		p.f("igmp query")
		p.igmpQuery(b, length, odd)
	case 0x12:
		p.f("igmp v1 report %v", v4(b[4:]))
		odd()
	case 0x16:
		p.f("igmp v2 report %v", v4(b[4:]))
	case 0x22:
		p.f("igmp v3 report")
		if length < 16 || length%4 != 0 {
			p.f(" [invalid len %d]", length)
			return
		}
		p.f(", %d group record(s)", be.Uint16(b[6:]))
	case 0x17:
		p.f("igmp leave %v", v4(b[4:]))
	default:
		p.f("igmp-%d", b[0])
	}
}

// igmpQuery prints the rest of a query, whose length tells its version.
func (p *Printer) igmpQuery(b []byte, length int, odd func()) {
	code, group := int(b[1]), v4(b[4:])
	if length < 12 {
		switch {
		case code == 0:
			p.f(" v1")
		case code == 100:
			p.f(" v2")
		default:
			p.f(" v2 [max resp time %d]", code)
		}
		if !group.IsUnspecified() {
			p.f(" [gaddr %v]", group)
		}
		odd()
		return
	}
	p.f(" v3")
	if length%4 != 0 {
		p.f(" [invalid len %d]", length)
		return
	}
	tenths := code
	if code >= 128 {
		tenths = (code&0xf | 0x10) << (code>>4&7 + 3)
	}
	switch {
	case code == 100:
	case tenths < 600:
		p.f(" [max resp time %.1fs]", float64(tenths)*0.1)
	default:
		p.f(" [max resp time %s]", relative(tenths/10))
	}
	if group.IsUnspecified() || len(b) < 12 {
		return
	}
	p.f(" [gaddr %v", group)
	if sources := int(be.Uint16(b[10:])); sources > 0 {
		if length < 12+4*sources {
			p.f(" [invalid number of sources]")
		} else {
			p.f(", %d source(s)", sources)
		}
	}
	p.f("]")
}

// relative writes seconds as 1w2d3h4m5s, without what is 0 (unsigned_relts_print in util-print.c).
func relative(seconds int) (text string) {
	if seconds == 0 {
		return "0s"
	}
	for _, unit := range []struct {
		name string
		in   int
	}{{"w", 604800}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}} {
		if n := seconds / unit.in; n > 0 {
			text += fmt.Sprintf("%d%s", n, unit.name)
		}
		seconds %= unit.in
	}
	return text
}

var pimTypes = map[uint8]string{0: "Hello", 1: "Register", 2: "Register Stop", 3: "Join / Prune", 4: "Bootstrap", 5: "Assert", 6: "Graft",
	7: "Graft Acknowledgement", 8: "Candidate RP Advertisement", 9: "Prune Refresh", 10: "DF Election", 11: "ECMP Redirect"}

// pim prints a message (RFC 7761; print-pim.c).
func (p *Printer) pim(b []byte, length int) {
	if p.short(b, 1, "pim") {
		return
	}
	p.f("PIMv%d", b[0]>>4)
	if b[0]>>4 == 2 {
		p.f(", %s", word(pimTypes, b[0]&0xf, "Unknown Type"))
	}
	p.f(", length %d", length)
}

// vrrp prints an advertisement (RFC 3768, RFC 5798; print-vrrp.c).
func (p *Printer) vrrp(k packet) {
	b := k.payload
	p.f("VRRP")
	if p.short(b, 1, "vrrp") {
		return
	}
	version, advertisement := b[0]>>4, b[0]&0xf == 1
	p.f("v%d, %s", version, word(map[uint8]string{1: "Advertisement"}, b[0]&0xf, "unknown type (%d)"))
	if k.ttl != 255 {
		p.f(", (ttl %d)", k.ttl)
	}
	if version < 2 || version > 3 || !advertisement || p.short(b, 6, "vrrp") {
		return
	}
	p.f(", vrid %d, prio %d", b[1], b[2])
	if version == 2 {
		p.f(", authtype %s, intvl %ds, length %d", word(map[uint8]string{0: "none", 1: "simple", 2: "ah"}, b[4], "#%d"), b[5], k.length)
		return
	}
	p.f(", intvl %dcs, length %d", be.Uint16(b[4:])&0xfff, k.length)
}

var ripCommands = map[uint8]string{1: "Request", 2: "Response", 3: "Trace on", 4: "Trace off", 5: "Poll", 6: "Poll Entry"}

// rip prints a message (RFC 2453; print-rip.c).
func (p *Printer) rip(b []byte, length int) {
	if p.short(b, 4, "rip") {
		return
	}
	p.f("RIPv%d", b[1])
	if b[1] == 0 {
		p.unknown(b, "\n\t")
		return
	}
	p.f(", %s, length: %d", word(ripCommands, b[0], "unknown command (%d)"), length)
}

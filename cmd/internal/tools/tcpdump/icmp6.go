package tcpdump

import "uswitch/switch/frame"

var icmp6Types = map[uint8]string{1: "destination unreachable", 2: "packet too big", 3: "time exceeded in-transit", 4: "parameter problem",
	128: "echo request", 129: "echo reply", 130: "multicast listener query", 131: "multicast listener report", 132: "multicast listener done",
	133: "router solicitation", 134: "router advertisement", 135: "neighbor solicitation", 136: "neighbor advertisement", 137: "redirect",
	138: "router renumbering", 139: "node information query", 140: "node information reply", 141: "inverse neighbor solicitation",
	142: "inverse neighbor advertisement", 143: "multicast listener report v2", 144: "ha discovery request", 145: "ha discovery reply",
	146: "mobile router solicitation", 147: "mobile router advertisement", 155: "RPL", 200: "mtrace response", 201: "mtrace message"}

// icmp6Plain are the types of which no more is told than their name.
var icmp6Plain = map[uint8]bool{133: true, 134: true, 141: true, 142: true, 145: true, 147: true}

// icmp6 prints a message (RFC 4443, RFC 4861, RFC 3810; print-icmp6.c).
func (p *Printer) icmp6(b []byte, length int) {
	if length == 0 {
		p.f("ICMP6, length 0 (invalid)")
		return
	}
	if p.short(b, 4, "icmp6") {
		return
	}
	p.f("ICMP6, %s", word(icmp6Types, b[0], "unknown icmp6 type (%d)"))
	need := map[uint8]int{2: 8, 3: 8, 4: 48, 128: 8, 129: 8, 130: 8, 135: 24, 136: 24, 137: 40, 143: 8}[b[0]]
	if p.short(b, need, "icmp6") {
		return
	}
	switch b[0] {
	case 1:
		if !p.unreachable6(b) {
			return
		}
	case 2:
		p.f(", mtu %d", be.Uint32(b[4:]))
	case 3:
		p.exceeded6(b)
	case 4:
		form, known := map[uint8]string{0: ", erroneous - octet %d", 1: ", next header - octet %d", 2: ", option - octet %d",
			3: ", incomplete header chain - octet %d"}[b[1]]
		if !known {
			p.f(", code-#%d", b[1])
			break
		}
		p.f(form, be.Uint32(b[4:]))
	case 128, 129:
		p.f(", id %d, seq %d", be.Uint16(b[4:]), be.Uint16(b[6:]))
	case 130:
		p.listenerQuery(b, length)
	case 131, 132:
		p.listener(b)
	case 135:
		p.f(", who has %v", v6(b[8:]))
	case 136:
		p.f(", tgt is %v", v6(b[8:]))
	case 137:
		p.f(", %v to %v", v6(b[24:]), v6(b[8:]))
	case 143:
		p.f(", %d group record(s)", be.Uint16(b[6:]))
	default:
		if !icmp6Plain[b[0]] {
			p.f(", length %d", length)
			p.unknown(b, "\n\t")
			return
		}
	}
	p.f(", length %d", length)
}

// unreachable6 prints why a destination was not reached, and reports whether the line goes on.
func (p *Printer) unreachable6(b []byte) bool {
	code, known := map[uint8]string{0: "unreachable route", 1: " unreachable prohibited", 2: "beyond scope", 3: "unreachable address",
		4: "unreachable port"}[b[1]]
	if !known {
		p.f(", unknown unreach code (%d)", b[1])
		p.unknown(b, "\n\t")
		return false
	}
	p.f(", %s", code)
	if p.short(b, 48, "icmp6") {
		return false
	}
	src, dst, proto, quoted := v6(b[16:]), v6(b[32:]), b[14], b[48:]
	switch b[1] {
	case 2:
		p.f(" %v, source address %v", dst, src)
	case 4:
		if p.short(quoted, 4, "icmp6") {
			return false
		}
		port := be.Uint16(quoted[2:])
		switch proto {
		case frame.ProtoTCP:
			p.f(", %v tcp port %d", dst, port)
		case frame.ProtoUDP:
			p.f(", %v udp port %d", dst, port)
		default:
			p.f(", %v protocol %d port %d unreachable", dst, proto, port)
		}
	default:
		p.f(" %v", dst)
	}
	return true
}

func (p *Printer) exceeded6(b []byte) {
	switch {
	case b[1] == 0 && len(b) >= 48:
		p.f(" for %v", v6(b[32:]))
	case b[1] == 1:
		p.f(" (reassembly)")
	default:
		p.f(", unknown code (%d)", b[1])
	}
}

// listener prints a message of MLD version 1 (RFC 2710 3).
func (p *Printer) listener(b []byte) {
	if len(b) >= 24 {
		p.f("max resp delay: %d addr: %v", be.Uint16(b[4:]), v6(b[8:]))
	}
}

// listenerQuery prints the rest of a query, whose length tells its version (RFC 3810 8.1).
func (p *Printer) listenerQuery(b []byte, length int) {
	switch {
	case length == 24:
		p.listener(b)
	case length < 28:
		p.f(" unknown-version (len %d) ", length)
	case len(b) >= 28:
		p.f(" v2 [gaddr %v", v6(b[8:]))
		if sources := int(be.Uint16(b[26:])); sources > 0 {
			if length < 28+16*sources {
				p.f(" [invalid number of sources]")
			} else {
				p.f(", %d source(s)", sources)
			}
		}
		p.f("]")
	}
}

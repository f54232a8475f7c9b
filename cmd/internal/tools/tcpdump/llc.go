package tcpdump

import (
	"encoding/hex"

	"uswitch/switch/frame"
)

var llcNames = map[uint8]string{0x00: "Null", 0xff: "Global", 0x02: "802.1B I", 0x03: "802.1B G", 0x06: "IP", 0x04: "SNA", 0x0e: "ProWay NM",
	0x42: "STP", 0x4e: "RS511", 0x7e: "ISO8208", 0x8e: "ProWay", 0xaa: "SNAP", 0xe0: "IPX", 0xf0: "NetBeui", 0xfe: "OSI"}

// llc prints what stands behind a length in place of a type (IEEE 802.2; print-llc.c). ok is false if nobody here knows it.
func (p *Printer) llc(b []byte, src, dst frame.MAC) (ok bool) {
	if p.short(b, 3, "llc") {
		return false
	}
	dsap, ssap, control, header := b[0]&^1, b[1]&^1, uint16(b[2]), 3
	unnumbered := b[2]&3 == 3
	if !unnumbered {
		if p.short(b, 4, "llc") {
			return false
		}
		control, header = uint16(b[2])|uint16(b[3])<<8, 4
	}
	if p.Link {
		p.f("LLC, dsap %s (0x%02x) %s, ssap %s (0x%02x) %s", word(llcNames, dsap, "Unknown"), dsap, [...]string{"Individual", "Group"}[b[0]&1],
			word(llcNames, ssap, "Unknown"), ssap, [...]string{"Command", "Response"}[b[1]&1])
		if unnumbered {
			p.f(", ctrl 0x%02x: ", control)
		} else {
			p.f(", ctrl 0x%04x: ", control)
		}
	}
	rest := b[header:]
	const information = 3 // unnumbered
	switch {
	case dsap == ssap && control == information && dsap == 0x42:
		p.stp(rest)
		return true
	case dsap == ssap && control == information && dsap == 0x06:
		p.ipv4(rest, p.Link)
		return true
	case dsap == ssap && control == information && dsap == 0xaa && len(rest) >= 5 && rest[0]|rest[1]|rest[2] == 0:
		proto := be.Uint16(rest[3:]) // RFC 1042
		if p.Link {
			p.f("oui Ethernet (0x000000), ethertype %s (0x%04x), length %d: ", typeName(proto), proto, len(rest)-5)
		}
		return p.network(proto, rest[5:], p.Link)
	}
	if !p.Link {
		if dsap == ssap {
			p.f("%v > %v %s ", src, dst, word(llcNames, dsap, "Unknown DSAP 0x%02x"))
		} else {
			p.f("%v %s > %v %s ", src, word(llcNames, ssap, "Unknown SSAP 0x%02x"), dst, word(llcNames, dsap, "Unknown DSAP 0x%02x"))
		}
	}
	return p.llcControl(control, unnumbered, b[1]&1 != 0, rest, len(b))
}

// llcControl prints what a frame asks of the link.
func (p *Printer) llcControl(control uint16, unnumbered, response bool, rest []byte, length int) (ok bool) {
	poll := control&0x100 != 0
	if unnumbered {
		poll = control&0x10 != 0
	}
	flags := map[[2]bool]string{{false, false}: "Command", {true, false}: "Response", {false, true}: "Poll", {true, true}: "Final"}[[2]bool{response, poll}]
	switch {
	case unnumbered:
		command := uint8(control) &^ 0x10
		names := map[uint8]string{0x03: "ui", 0xe3: "test", 0xaf: "xid", 0x63: "ua", 0x43: "disc", 0x0f: "dm", 0x6f: "sabme", 0x87: "frmr"}
		p.f("Unnumbered, %s, Flags [%s], length %d", word(names, command, "%02x"), flags, length)
		if command != 0xaf {
			return false
		}
		if len(rest) >= 3 && rest[0] == 0x81 {
			p.f(": %02x %02x", rest[1], rest[2])
			return true
		}
		return len(rest) == 0
	case control&3 == 1:
		p.f("Supervisory, %s, rcv seq %d, Flags [%s], length %d",
			word(map[uint16]string{0: "Receiver Ready", 1: "Receiver not Ready", 2: "Reject"}, control>>2&3, "?"), control>>9&0x7f, flags, length)
		return true
	}
	p.f("Information, send seq %d, rcv seq %d, Flags [%s], length %d", control>>1&0x7f, control>>9&0x7f, flags, length)
	return false
}

var (
	stpVersions = map[uint8]string{0: "802.1d", 2: "802.1w", 3: "802.1s", 4: "802.1aq"}
	stpTypes    = map[uint8]string{0: "Config", 2: "Rapid STP", 0x80: "Topology Change"}
	stpFlags    = bits{{1, "Topology change"}, {2, "Proposal"}, {0x10, "Learn"}, {0x20, "Forward"}, {0x40, "Agreement"}, {0x80, "Topology change ACK"}}
)

// stp prints a message of a spanning tree (IEEE 802.1D-2004 9.3; print-stp.c).
func (p *Printer) stp(b []byte) {
	const config, rapid = 35, 36 // bytes of a message
	switch {
	case len(b) < 4:
		p.f(" (invalid)")
		return
	case be.Uint16(b) != 0:
		p.f("unknown STP version, length %d", len(b))
		return
	}
	p.f("STP %s", word(stpVersions, b[2], "Unknown STP protocol (0x%02x)"))
	if _, known := stpVersions[b[2]]; !known {
		return
	}
	p.f(", %s", word(stpTypes, b[3], "Unknown BPDU Type (0x%02x)"))
	want := config
	switch {
	case b[3] == 0:
	case b[3] == 2 && b[2] == 2:
		want = rapid
	case b[3] == 2 && b[2] >= 3:
		p.mstp(b)
		return
	default:
		return
	}
	if len(b) < want {
		p.f(" (invalid)")
		return
	}
	p.f(", Flags [%s], bridge-id %s.%04x, length %d", stpFlags.of(b[4], "none"), bridgeID(b[17:]), be.Uint16(b[25:]), len(b))
}

// mstp prints a message of the multiple spanning trees (IEEE 802.1Q 14.4).
func (p *Printer) mstp(b []byte) {
	const whole = 102
	if len(b) < whole || b[35] != 0 || len(b) < 36+2+int(be.Uint16(b[36:])) {
		p.f(" (invalid)")
		return
	}
	p.f(", CIST Flags [%s], length %d", stpFlags.of(b[4], "none"), len(b))
}

// bridgeID writes a bridge's priority and address.
func bridgeID(b []byte) string { return hex.EncodeToString(b[:2]) + "." + frame.MAC(b[2:8]).String() }

// lldp prints a message: of its parts, the name of its sender (IEEE 802.1AB 8; print-lldp.c).
func (p *Printer) lldp(b []byte) {
	p.f("LLDP, length %d", len(b))
	for rest := b; len(rest) >= 2; {
		kind, n := rest[0]>>1, int(be.Uint16(rest)&0x1ff)
		rest = rest[2:]
		if kind == 0 || n == 0 {
			return
		}
		if n > len(rest) {
			p.f(" [|lldp]")
			return
		}
		if kind == 5 {
			p.f(": %s", firstLine(rest[:n]))
		}
		rest = rest[n:]
	}
}

package tcpdump

import (
	"fmt"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

// Printer makes lines. It remembers TCP connections, whose sequence numbers it counts from their beginning; it is for one
// goroutine.
type Printer struct {
	Link   bool // -e: with the addresses of the link
	NoTime bool // -t
	Device bool // with the device's name and the direction, as for -i any

	conns map[conn]*sequence
	out   strings.Builder
}

func (p *Printer) f(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

// Line returns what is to be printed of a frame, without the last end of line.
func (p *Printer) Line(f *api.Frame) string {
	p.out.Reset()
	if !p.NoTime {
		p.out.WriteString(f.Time.Local().Format("15:04:05.000000 "))
	}
	switch {
	case p.Device:
		p.cooked(f)
	case f.IP:
		p.raw(f.Data)
	default:
		p.ethernet(f.Data)
	}
	return p.out.String()
}

// cookedHeader is what a frame of all devices has in place of the link's header: LINKTYPE_LINUX_SLL2.
const cookedHeader = 20

// raw prints a packet of a link that has no addresses.
func (p *Printer) raw(data []byte) {
	if p.Link {
		p.f("ip: ")
	}
	if len(data) > 0 && data[0]>>4 == 6 {
		p.ipv6(data, p.Link)
		return
	}
	p.ipv4(data, p.Link)
}

// cooked prints a frame with the device in front, and of its addresses the sender's (print-sll.c).
func (p *Printer) cooked(f *api.Frame) {
	p.f("%-5s %-3s ", f.Device, f.Direction)
	etherType, payload, source := uint16(frame.TypeIPv4), f.Data, ""
	if !f.IP {
		e, ok := frame.ParseEthernet(f.Data)
		if !ok {
			p.f(" [|ether]")
			return
		}
		etherType, payload, source = e.Type(), e.Payload(), e.Src().String()+" "
	}
	if p.Link {
		p.f("ifindex %d %s%s, length %d: ", f.Index, source, etherName(etherType), len(payload)+cookedHeader)
	}
	if !p.network(etherType, payload, p.Link) {
		p.dump(payload)
	}
}

// ethernet prints a frame (print-ether.c).
func (p *Printer) ethernet(data []byte) {
	e, ok := frame.ParseEthernet(data)
	if !ok {
		p.f(" [|ether]")
		return
	}
	etherType, payload := e.Type(), e.Payload()
	if p.Link {
		p.f("%v > %v, ", e.Src(), e.Dst())
	}
	length := fmt.Sprintf(", length %d: ", len(data))
	for tagged(etherType) { // IEEE 802.1Q 9.6
		if p.short(payload, 4, "vlan") {
			return
		}
		if p.Link {
			p.f("%s%s%s, ", etherName(etherType), length, tagText(be.Uint16(payload)))
		}
		length = ", "
		etherType, payload = be.Uint16(payload[2:]), payload[4:]
	}
	if etherType <= maxLength {
		p.lengthed(etherType, payload, e, length)
		return
	}
	if p.Link {
		p.f("%s%s", etherName(etherType), length)
	}
	if p.network(etherType, payload, p.Link) {
		return
	}
	if !p.Link {
		p.f("%v > %v, %s, length %d: ", e.Src(), e.Dst(), etherName(etherType), len(data))
	}
	p.dump(payload)
}

// maxLength is the greatest number in the place of a type that is a length (IEEE 802.3 3.2.6).
const maxLength = 1500

// lengthed prints a frame that has a length in place of a type.
func (p *Printer) lengthed(n uint16, payload []byte, e frame.Ethernet, length string) {
	payload = payload[:min(int(n), len(payload))]
	if p.Link {
		p.f("802.3")
		if length != ", " {
			p.f(", length %d: ", len(payload))
		}
	}
	if !p.llc(payload, e.Src(), e.Dst()) {
		p.dump(payload)
	}
}

func tagged(etherType uint16) bool {
	return etherType == frame.TypeVLAN || etherType == 0x88a8 || etherType == 0x9100 || etherType == 0x9200
}

// tagText writes what stands in a tag.
func tagText(tag uint16) string {
	text := fmt.Sprintf("vlan %d, p %d", tag&0xfff, tag>>13)
	if tag&0x1000 != 0 {
		text += ", DEI"
	}
	return text
}

// network prints what a frame carries; ok is false if nobody here knows it. bare leaves out the name of the protocol, which
// has been printed.
func (p *Printer) network(etherType uint16, payload []byte, bare bool) (ok bool) {
	switch etherType {
	case frame.TypeARP:
		p.arp(payload, bare)
	case frame.TypeIPv4:
		p.ipv4(payload, bare)
	case frame.TypeIPv6:
		p.ipv6(payload, bare)
	case typeRARP:
		p.arp(payload, bare)
	case typeLLDP:
		p.lldp(payload)
	case frame.TypeVLAN:
		return p.vlan(payload, bare)
	default:
		return false
	}
	return true
}

// name prints the name of a protocol, unless the link's line has it already.
func (p *Printer) name(text string, bare bool) {
	if !bare {
		p.out.WriteString(text)
	}
}

// vlan prints a tag and what is behind it, where frames have no header of their own in front: as of -i any.
func (p *Printer) vlan(payload []byte, link bool) bool {
	if len(payload) < 4 {
		return false
	}
	inner := be.Uint16(payload[2:])
	if link {
		p.f("%s, %s, ", tagText(be.Uint16(payload)), etherName(inner))
	}
	return p.network(inner, payload[4:], link)
}

// Types that only a tcpdump knows (IEEE 802 numbers).
const (
	typeRARP = 0x8035
	typeLLDP = 0x88cc
)

// typeNames are what tcpdump calls the types (ethertype_values in print-ether.c).
var typeNames = map[uint16]string{0x0800: "IPv4", 0x8847: "MPLS unicast", 0x8848: "MPLS multicast", 0x86dd: "IPv6", 0x8100: "802.1Q",
	0x9100: "802.1Q-9100", 0x88a8: "802.1Q-QinQ", 0x9200: "802.1Q-9200", 0x88e5: "802.1AE MACsec", 0x0200: "PUP", 0x0806: "ARP",
	0x8035: "Reverse ARP", 0x0600: "NS", 0x0500: "Sprite", 0x1000: "Trail", 0x6001: "MOP DL", 0x6002: "MOP RC", 0x6003: "DN", 0x6004: "LAT",
	0x6007: "SCA", 0x6558: "TEB", 0x8038: "Lanbridge", 0x803c: "DEC DNS", 0x803e: "DEC DTS", 0x805b: "VEXP", 0x805c: "VPROD",
	0x809b: "Appletalk", 0x80f3: "Appletalk ARP", 0x8137: "IPX", 0x880b: "PPP", 0x8808: "MPCP", 0x8809: "Slow Protocols", 0x8863: "PPPoE D",
	0x8864: "PPPoE S", 0x888e: "EAPOL", 0x8899: "Realtek protocols", 0x886f: "MS NLB heartbeat", 0x8870: "Jumbo", 0x894f: "NSH",
	0x9000: "Loopback", 0xfefe: "OSI", 0x00fe: "GRE-OSI", 0xabcd: "CFM (old)", 0x8902: "CFM", 0x893a: "IEEE1905.1", 0x88cc: "LLDP",
	0x88ca: "TIPC", 0x0707: "GeoNet (old)", 0x8947: "GeoNet", 0x1111: "CALM FAST", 0x88a2: "AoE", 0x88f7: "PTP",
	0xd28b: "Arista Vendor Specific Protocol"}

// typeName names a type behind a tunnel's header.
func typeName(t uint16) string { return word(typeNames, t, "unknown") }

// etherName writes a type as tcpdump does behind the addresses.
func etherName(t uint16) string {
	if t <= maxLength {
		return "802.3"
	}
	return fmt.Sprintf("ethertype %s (0x%04x)", word(typeNames, t, "Unknown"), t)
}

// unknown prints bytes that a protocol's printer knows no more about, behind ident (hex_print in print-ascii.c).
func (p *Printer) unknown(data []byte, ident string) {
	for at := 0; at < len(data); at += 16 {
		p.f("%s0x%04x: ", ident, at)
		for i, c := range data[at:min(at+16, len(data))] {
			if i%2 == 0 {
				p.f(" ")
			}
			p.f("%02x", c)
		}
	}
}

// dump prints bytes that nobody knows more about, sixteen a line.
func (p *Printer) dump(data []byte) {
	for at := 0; at < len(data); at += 16 {
		row := data[at:min(at+16, len(data))]
		var hex, text strings.Builder
		for i, c := range row {
			if i > 0 && i%2 == 0 {
				hex.WriteByte(' ')
			}
			fmt.Fprintf(&hex, "%02x", c)
			if c < 0x21 || c > 0x7e {
				c = '.'
			}
			text.WriteByte(c)
		}
		p.f("\n\t0x%04x:  %-39s  %s", at, hex.String(), text.String())
	}
}

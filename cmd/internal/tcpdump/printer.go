package tcpdump

import (
	"fmt"
	"strings"

	"uswitch/cmd/internal/control"
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
func (p *Printer) Line(f *control.Frame) string {
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
	p.ipv4(data, p.Link)
}

// cooked prints a frame with the device in front, and of its addresses the sender's (print-sll.c).
func (p *Printer) cooked(f *control.Frame) {
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
	head := fmt.Sprintf("%v > %v, %s, length %d: ", e.Src(), e.Dst(), etherName(e.Type()), len(data))
	if p.Link {
		p.out.WriteString(head)
	}
	if p.network(e.Type(), e.Payload(), p.Link) {
		return
	}
	if !p.Link {
		p.out.WriteString(head)
	}
	p.dump(e.Payload())
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

// vlan prints a tag (IEEE 802.1Q 9.6) and what is behind it.
func (p *Printer) vlan(payload []byte, link bool) bool {
	if len(payload) < 4 {
		return false
	}
	tag, inner := int(payload[0])<<8|int(payload[1]), uint16(payload[2])<<8|uint16(payload[3])
	if link {
		p.f("vlan %d, p %d, %s, ", tag&0xfff, tag>>13, etherName(inner))
	}
	return p.network(inner, payload[4:], link)
}

// etherName writes a type as tcpdump does behind the addresses. A number that is too small for one is a length (IEEE 802.3
// 3.2.6).
func etherName(t uint16) string {
	if t <= 1500 {
		return "802.3"
	}
	name, ok := map[uint16]string{frame.TypeARP: "ARP", frame.TypeIPv4: "IPv4", frame.TypeIPv6: "IPv6", frame.TypeVLAN: "802.1Q"}[t]
	if !ok {
		name = "Unknown"
	}
	return fmt.Sprintf("ethertype %s (0x%04x)", name, t)
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

package tcpdump

import "encoding/binary"

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
	src, dst := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	p.f("%s", k.ends(src, dst))
	if len(b) < 8 {
		p.f("truncated-udp %d", k.length)
		return
	}
	length := int(binary.BigEndian.Uint16(b[4:])) - 8
	if length < 0 {
		p.f("truncated-udplength %d", length+8)
		return
	}
	payload := b[8:min(len(b), 8+length)]
	switch {
	case length == 0:
		p.f("UDP, length 0")
	case src == portDNS || dst == portDNS:
		p.dns(payload, length, false)
	case src == portMDNS || dst == portMDNS:
		p.dns(payload, length, true)
	default:
		p.f("UDP, length %d", length)
	}
}

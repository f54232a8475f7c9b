package tcpdump

import "slices"

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

package tcpdump

import "uswitch/switch/frame"

// arp prints an ARP packet (print-arp.c).
func (p *Printer) arp(b []byte, bare bool) {
	a, ok := frame.ParseARP(b)
	if !ok {
		p.f(" [|arp]")
		return
	}
	p.name("ARP, ", bare)
	switch a.Op() {
	case frame.ARPRequest:
		p.f("Request who-has %v ", a.TargetIP())
		if target := a.TargetMAC(); target != (frame.MAC{}) {
			p.f("(%v) ", target)
		}
		p.f("tell %v", a.SenderIP())
	case frame.ARPReply:
		p.f("Reply %v is-at %v", a.SenderIP(), a.SenderMAC())
	case 3:
		p.f("Reverse Request who-is %v tell %v", a.TargetMAC(), a.SenderMAC())
	case 4:
		p.f("Reverse Reply %v at %v", a.TargetMAC(), a.TargetIP())
	case 8:
		p.f("Inverse Request who-is %v tell %v", a.TargetMAC(), a.SenderMAC())
	case 9:
		p.f("Inverse Reply %v at %v", a.SenderMAC(), a.SenderIP())
	default:
		p.f("Unknown (%d) ", a.Op())
		p.dump(b)
		return
	}
	p.f(", length %d", len(b))
}

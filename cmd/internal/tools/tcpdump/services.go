package tcpdump

import "uswitch/switch/frame"

// Services that hosts look for in a network: addresses and the time.

// dhcp prints a message of BOOTP or DHCP (RFC 2131 2; print-bootp.c).
func (p *Printer) dhcp(b []byte, length int) {
	if p.short(b, 3, "bootp") {
		return
	}
	p.f("BOOTP/DHCP, %s", word(map[uint8]string{1: "Request", 2: "Reply"}, b[0], "unknown (0x%02x)"))
	if b[0] == 1 && b[1] == 1 && b[2] == 6 {
		if p.short(b, 34, "bootp") {
			return
		}
		p.f(" from %v", frame.MAC(b[28:34]))
	}
	p.f(", length %d", length)
}

var dhcp6Types = map[uint8]string{1: "solicit", 2: "advertise", 3: "request", 4: "confirm", 5: "renew", 6: "rebind", 7: "reply", 8: "release",
	9: "decline", 10: "reconfigure", 11: "inf-req", 12: "relay-fwd", 13: "relay-reply", 14: "leasequery", 15: "leasequery-reply"}

// dhcp6 prints a message (RFC 8415 8; print-dhcp6.c).
func (p *Printer) dhcp6(b []byte) {
	p.f("dhcp6")
	if !p.short(b, 4, "dhcp6") {
		p.f(" %s", word(dhcp6Types, b[0], "msgtype-%d"))
	}
}

var ntpModes = map[uint8]string{0: "unspecified", 1: "symmetric active", 2: "symmetric passive", 3: "Client", 4: "Server", 5: "Broadcast",
	6: "Control Message", 7: "Reserved"}

// ntp prints a message (RFC 5905 7.3; print-ntp.c).
func (p *Printer) ntp(b []byte, length int) {
	if p.short(b, 1, "ntp") {
		return
	}
	p.f("NTPv%d, %s, length %d", b[0]>>3&7, ntpModes[b[0]&7], length)
}

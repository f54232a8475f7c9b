package tcpdump

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"uswitch/switch/frame"
)

// be reads numbers of a packet.
var be = binary.BigEndian

// short prints that a packet ends before its protocol's header does, and reports whether it does.
func (p *Printer) short(b []byte, want int, protocol string) bool {
	if len(b) < want {
		p.f(" [|%s]", protocol)
		return true
	}
	return false
}

// word returns what a table calls a number, or the number in the form of unknown.
func word[K uint8 | uint16](table map[K]string, n K, unknown string) string {
	if text, ok := table[n]; ok {
		return text
	}
	if strings.Contains(unknown, "%") {
		return fmt.Sprintf(unknown, n)
	}
	return unknown
}

// bits are the names of flags, in the order in which they are printed.
type bits []struct {
	bit  uint8
	name string
}

// of writes the flags that are set.
func (all bits) of(flags uint8, none string) string {
	var set []string
	for _, b := range all {
		if flags&b.bit != 0 {
			set = append(set, b.name)
		}
	}
	if len(set) == 0 {
		return none
	}
	return strings.Join(set, ", ")
}

// v4 and v6 read addresses.
func v4(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b[:4])) }
func v6(b []byte) netip.Addr { return netip.AddrFrom16([16]byte(b[:16])) }

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

package trace

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"uswitch/switch/frame"
)

// icmp6Types name a message by its type (IANA ICMPv6 parameters).
var icmp6Types = map[uint8]string{
	frame.ICMPv6Unreachable: "unreachable", frame.ICMPv6TooBig: "too big", frame.ICMPv6TimeExceeded: "hop limit exceeded",
	frame.ICMPv6ParamProblem: "header problem", frame.ICMPv6Echo: "echo request", frame.ICMPv6EchoReply: "echo reply",
	frame.ICMPv6MLDQuery: "multicast listener query", frame.ICMPv6MLDReport: "multicast listener report",
	frame.ICMPv6MLDDone: "multicast listener done", frame.ICMPv6RouterSolicit: "router solicitation: is there a router?",
	frame.ICMPv6RouterAdvert: "router advertisement", frame.ICMPv6Redirect: "redirect: there is a shorter way",
	frame.ICMPv6MLD2Report: "multicast listener report",
}

// unreachable6 are the codes of Destination Unreachable (RFC 4443 3.1).
var unreachable6 = [...]string{"no route to the destination", "forbidden by a filter", "beyond the scope of the source address",
	"address unreachable", "port unreachable", "forbidden by a policy", "a route rejects it"}

// icmp6Words describe an ICMPv6 message.
func icmp6Words(p frame.IP) string {
	m, ok := frame.ParseICMP(p.Payload())
	if !ok {
		return "cut short"
	}
	name := or(icmp6Types[m.Type()], fmt.Sprintf("type %d code %d", m.Type(), m.Code()))
	switch {
	case m.Type() == frame.ICMPv6Echo || m.Type() == frame.ICMPv6EchoReply:
		return name + fmt.Sprintf(", id %d seq %d, hop limit %d", m.ID(), m.Seq(), p.TTL())
	case m.Type() == frame.ICMPv6Unreachable && int(m.Code()) < len(unreachable6):
		return unreachable6[m.Code()] + aboutWords(m)
	case m.Type() == frame.ICMPv6TooBig:
		return fmt.Sprintf("too big: at most %d bytes fit%s", binary.BigEndian.Uint32(m[4:]), aboutWords(m))
	case m.Type() == frame.ICMPv6TimeExceeded && m.Code() == 1:
		return "fragments missing for too long" + aboutWords(m)
	case m.Type() < frame.ICMPv6Echo:
		return name + aboutWords(m)
	case (m.Type() == frame.ICMPv6Solicit || m.Type() == frame.ICMPv6Advert) && len(m) >= 24:
		return neighborWords(m, p.Src())
	}
	return name
}

// neighborWords describe what ARP says in IPv4.
func neighborWords(m frame.ICMP, src netip.Addr) string {
	target := netip.AddrFrom16([16]byte(m[8:24]))
	switch {
	case m.Type() == frame.ICMPv6Solicit && src.IsUnspecified():
		return fmt.Sprintf("neighbor solicitation: who has %v? (a probe: may I have it?)", target)
	case m.Type() == frame.ICMPv6Solicit:
		return fmt.Sprintf("neighbor solicitation: who has %v? tell %v", target, src)
	case len(m) >= 32 && m[24] == 2:
		return fmt.Sprintf("neighbor advertisement: %v is at %v", target, frame.MAC(m[26:32]))
	}
	return fmt.Sprintf("neighbor advertisement: %v is here", target)
}

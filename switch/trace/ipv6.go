package trace

import (
	"encoding/binary"
	"net/netip"

	"uswitch/switch/frame"
)

// icmp6Types name a message by its type (IANA ICMPv6 parameters).
var icmp6Types = map[uint8]string{
	frame.ICMPv6Unreachable: Key("unreachable"), frame.ICMPv6TooBig: Key("too big"), frame.ICMPv6TimeExceeded: Key("hop limit exceeded"),
	frame.ICMPv6ParamProblem: Key("header problem"), frame.ICMPv6Echo: Key("echo request"), frame.ICMPv6EchoReply: Key("echo reply"),
	frame.ICMPv6MLDQuery: Key("multicast listener query"), frame.ICMPv6MLDReport: Key("multicast listener report"),
	frame.ICMPv6MLDDone: Key("multicast listener done"), frame.ICMPv6RouterSolicit: Key("router solicitation: is there a router?"),
	frame.ICMPv6RouterAdvert: Key("router advertisement"), frame.ICMPv6Redirect: Key("redirect: there is a shorter way"),
	frame.ICMPv6MLD2Report: Key("multicast listener report"),
}

// unreachable6 are the codes of Destination Unreachable (RFC 4443 3.1).
var unreachable6 = [...]string{Key("no route to the destination"), Key("forbidden by a filter"), Key("beyond the scope of the source address"),
	Key("address unreachable"), Key("port unreachable"), Key("forbidden by a policy"), Key("a route rejects it")}

// icmp6Words describe an ICMPv6 message.
func icmp6Words(in Language, p frame.IP) string {
	m, ok := frame.ParseICMP(p.Payload())
	if !ok {
		return in("cut short")
	}
	name := in(icmp6Types[m.Type()])
	if name == "" {
		name = in("type %d code %d", m.Type(), m.Code())
	}
	switch {
	case m.Type() == frame.ICMPv6Echo || m.Type() == frame.ICMPv6EchoReply:
		return name + in(", id %d seq %d, hop limit %d", m.ID(), m.Seq(), p.TTL())
	case m.Type() == frame.ICMPv6Unreachable && int(m.Code()) < len(unreachable6):
		return in(unreachable6[m.Code()]) + aboutWords(in, m)
	case m.Type() == frame.ICMPv6TooBig:
		return in("too big: at most %d bytes fit%s", binary.BigEndian.Uint32(m[4:]), aboutWords(in, m))
	case m.Type() == frame.ICMPv6TimeExceeded && m.Code() == 1:
		return in("fragments missing for too long") + aboutWords(in, m)
	case m.Type() < frame.ICMPv6Echo:
		return name + aboutWords(in, m)
	case (m.Type() == frame.ICMPv6Solicit || m.Type() == frame.ICMPv6Advert) && len(m) >= 24:
		return neighborWords(in, m, p.Src())
	}
	return name
}

// neighborWords describe what ARP says in IPv4.
func neighborWords(in Language, m frame.ICMP, src netip.Addr) string {
	target := netip.AddrFrom16([16]byte(m[8:24]))
	switch {
	case m.Type() == frame.ICMPv6Solicit && src.IsUnspecified():
		return in("neighbor solicitation: who has %v? (a probe: may I have it?)", target)
	case m.Type() == frame.ICMPv6Solicit:
		return in("neighbor solicitation: who has %v? tell %v", target, src)
	case len(m) >= 32 && m[24] == 2:
		return in("neighbor advertisement: %v is at %v", target, frame.MAC(m[26:32]))
	}
	return in("neighbor advertisement: %v is here", target)
}

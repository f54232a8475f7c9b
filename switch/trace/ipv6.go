package trace

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"uswitch/switch/frame"
)

// Protocol numbers that IPv6 has of its own (IANA).
const (
	protoHopByHop    = 0
	protoRouting     = 43
	protoFragment    = 44
	protoICMPv6      = 58
	protoDestination = 60
)

// ipv6 is an IPv6 packet (RFC 8200) as far as its bytes go. Behind its extension headers is the payload.
type ipv6 struct {
	src, dst netip.Addr
	hopLimit uint8
	proto    uint8
	later    bool // a fragment that is not the first: the payload has no header
	payload  []byte
	length   int // of the payload, as the header says
}

func parseIPv6(b []byte) (p ipv6, ok bool) {
	const header = ipv6Header
	if len(b) < header || b[0]>>4 != 6 {
		return p, false
	}
	p = ipv6{src: netip.AddrFrom16([16]byte(b[8:24])), dst: netip.AddrFrom16([16]byte(b[24:40])), hopLimit: b[7], proto: b[6],
		length: int(binary.BigEndian.Uint16(b[4:6]))}
	p.payload = b[header:min(header+p.length, len(b))]
	for len(p.payload) >= 8 {
		n := 8
		switch p.proto {
		case protoHopByHop, protoRouting, protoDestination:
			n += 8 * int(p.payload[1])
		case protoFragment:
			p.later = binary.BigEndian.Uint16(p.payload[2:])>>3 != 0
		default:
			return p, true
		}
		p.proto, p.length = p.payload[0], max(p.length-n, 0)
		p.payload = p.payload[min(n, len(p.payload)):]
		if p.later {
			break
		}
	}
	return p, true
}

// ports returns the ports of TCP and UDP.
func (p ipv6) ports() (src, dst uint16, ok bool) {
	if p.later || p.proto != frame.ProtoTCP && p.proto != frame.ProtoUDP || len(p.payload) < 4 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(p.payload), binary.BigEndian.Uint16(p.payload[2:]), true
}

// words describe the packet: fe80::2 > ff02::2, ICMPv6 router solicitation.
func (p ipv6) words() string {
	if src, dst, ok := p.ports(); ok {
		return fmt.Sprintf("%v > %v, %s len %d", netip.AddrPortFrom(p.src, src), netip.AddrPortFrom(p.dst, dst), protoWord(p.proto), p.data())
	}
	what := fmt.Sprintf("%v > %v, ", p.src, p.dst)
	switch {
	case p.later:
		return what + "a fragment of " + protoWord(p.proto)
	case p.proto == protoICMPv6:
		return what + "ICMPv6 " + icmpv6Words(p.payload)
	}
	return what + protoWord(p.proto) + " of " + bytesWord(p.length)
}

// data is how many bytes stand behind the header of TCP or UDP.
func (p ipv6) data() int {
	header := frame.UDPHeader
	if p.proto == frame.ProtoTCP {
		header = frame.TCPHeader
		if len(p.payload) > 12 {
			header = int(p.payload[12]>>4) * 4
		}
	}
	return max(p.length-header, 0)
}

// icmpv6Words name a message by its type (IANA ICMPv6 parameters).
func icmpv6Words(b []byte) string {
	if len(b) < 4 {
		return "cut short"
	}
	names := map[uint8]string{1: "unreachable", 2: "too big", 3: "hop limit exceeded", 4: "header problem", 128: "echo request", 129: "echo reply",
		130: "multicast listener query", 131: "multicast listener report", 132: "multicast listener done", 133: "router solicitation",
		134: "router advertisement", 135: "neighbor solicitation", 136: "neighbor advertisement", 137: "redirect: there is a shorter way",
		143: "multicast listener report"}
	name := or(names[b[0]], fmt.Sprintf("type %d code %d", b[0], b[1]))
	switch {
	case (b[0] == 128 || b[0] == 129) && len(b) >= 8:
		name += fmt.Sprintf(", id %d seq %d", binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:]))
	case b[0] == 135 && len(b) >= 24:
		name += fmt.Sprintf(": who has %v?", netip.AddrFrom16([16]byte(b[8:24])))
	case b[0] == 136 && len(b) >= 24:
		name += fmt.Sprintf(": %v is here", netip.AddrFrom16([16]byte(b[8:24])))
	}
	return name
}

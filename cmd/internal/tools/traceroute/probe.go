package traceroute

import (
	"encoding/binary"
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// length is that of every probe, in bytes.
const length = 60

// probe is one packet on its way, and what came of it.
type probe struct {
	sent     time.Time
	answered bool
	took     time.Duration
	from     netip.Addr
	mark     string // !H and the like
	last     bool   // it has arrived, or goes no further
}

// packet writes the nth probe, counted from 0. Its number is the echo's sequence number or in the datagram's destination port.
func (t *tracer) packet(n int) []byte {
	b := make([]byte, length)
	payload := b[frame.IPv4Header:]
	proto := uint8(frame.ProtoUDP)
	if t.ICMP {
		proto = frame.ProtoICMP
		payload[0] = frame.ICMPEcho
		binary.BigEndian.PutUint16(payload[4:], t.number)
		binary.BigEndian.PutUint16(payload[6:], uint16(n))
		frame.ICMP(payload).SetChecksum()
	} else {
		binary.BigEndian.PutUint16(payload[0:], t.number)
		binary.BigEndian.PutUint16(payload[2:], uint16(t.Port+n))
		binary.BigEndian.PutUint16(payload[4:], uint16(len(payload)))
		sum := frame.Checksum(payload, frame.PseudoHeader(proto, t.source, t.to, len(payload)))
		if sum == 0 {
			sum = 0xffff // RFC 768: 0 means none
		}
		binary.BigEndian.PutUint16(payload[6:], sum)
	}
	frame.PutIPv4(b, proto, uint8(t.First+n/t.Probes), uint16(n+1), t.source, t.to)
	return b
}

// read finds out which probe a packet answers, and how.
func (t *tracer) read(b []byte) (n int, p probe, ok bool) {
	ip, err := frame.ParseIPv4(b)
	if err != nil {
		return 0, p, false
	}
	p.from = ip.Src()
	m, isICMP := frame.ParseICMP(ip.Payload())
	switch {
	case ip.Proto() == frame.ProtoUDP: // somebody listens there, and has answered
		u, whole := frame.ParseUDP(ip.Payload())
		p.last = true
		return int(u.SrcPort()) - t.Port, p, whole && !t.ICMP && p.from == t.to
	case ip.Proto() != frame.ProtoICMP || !isICMP:
		return 0, p, false
	case m.Type() == frame.ICMPEchoReply:
		p.last = true
		return int(m.Seq()), p, t.ICMP && m.ID() == t.number && p.from == t.to
	case !m.IsError():
		return 0, p, false
	}
	if m.Type() != frame.ICMPTimeExceeded {
		p.last, p.mark = true, mark(m)
	}
	n, ok = t.quoted(m)
	return n, p, ok
}

// quoted finds the number in the packet that an error quotes: its IP header and eight bytes (RFC 792).
func (t *tracer) quoted(m frame.ICMP) (n int, ok bool) {
	quote := frame.IPv4(m.Payload())
	if len(quote) < frame.IPv4Header || quote[0]>>4 != 4 || quote.HeaderLen() < frame.IPv4Header || len(quote) < quote.HeaderLen()+8 || quote.Dst() != t.to {
		return 0, false
	}
	b := quote.Payload()
	if t.ICMP {
		return int(binary.BigEndian.Uint16(b[6:])), quote.Proto() == frame.ProtoICMP && binary.BigEndian.Uint16(b[4:]) == t.number
	}
	return int(binary.BigEndian.Uint16(b[2:])) - t.Port, quote.Proto() == frame.ProtoUDP && binary.BigEndian.Uint16(b[0:]) == t.number
}

// mark is what traceroute prints behind the time of a probe that was turned back: nothing if it has found its target, whose
// port is closed.
func mark(m frame.ICMP) string {
	if m.Type() != frame.ICMPUnreachable {
		return ""
	}
	switch m.Code() {
	case frame.UnreachablePort:
		return ""
	case frame.UnreachableNet:
		return " !N"
	case frame.UnreachableHost:
		return " !H"
	case frame.UnreachableProtocol:
		return " !P"
	case frame.UnreachableTooBig:
		return " !F"
	case 5:
		return " !S"
	case 9, 10, 13:
		return " !X"
	}
	return " !" + string(rune('0'+m.Code()%10))
}

package traceroute

import (
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
		frame.PutEcho(payload, frame.ICMPEcho, t.number, uint16(n))
	} else {
		frame.PutUDP(payload, t.number, uint16(t.Port+n)).SetChecksum(t.source, t.to)
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
		p.last, p.mark = true, m.Error().Traceroute()
	}
	n, ok = t.quoted(m)
	return n, p, ok
}

// quoted finds the number in the packet that an error quotes.
func (t *tracer) quoted(m frame.ICMP) (n int, ok bool) {
	quote, ok := m.Quote()
	if !ok || quote.Dst() != t.to {
		return 0, false
	}
	if t.ICMP {
		echo := frame.ICMP(quote.Payload())
		return int(echo.Seq()), quote.Proto() == frame.ProtoICMP && echo.ID() == t.number
	}
	u := frame.UDP(quote.Payload())
	return int(u.DstPort()) - t.Port, quote.Proto() == frame.ProtoUDP && u.SrcPort() == t.number
}

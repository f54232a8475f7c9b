package traceroute

import (
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// length and length6 are those of every probe, in bytes, in IPv4 and in IPv6.
const (
	length  = 60
	length6 = 80
)

func (t *tracer) length() int {
	if t.to.Is4() {
		return length
	}
	return length6
}

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
	b := make([]byte, t.length())
	payload := b[frame.FixedHeader(t.to):]
	proto := frame.ProtoUDP
	if t.ICMP {
		proto = frame.ProtoICMPOf(t.to)
		request, _ := frame.ICMPEchoOf(t.to)
		frame.PutEcho(payload, request, t.number, uint16(n))
	} else {
		frame.PutUDP(payload, t.number, uint16(t.Port+n)).SetChecksum(t.source, t.to)
	}
	ip := frame.PutIP(b, proto, uint8(t.First+n/t.Probes), uint16(n+1), t.source, t.to)
	if t.to.Is6() && t.ICMP {
		ip.SetICMPChecksum()
	}
	return b
}

// read finds out which probe a packet answers, and how.
func (t *tracer) read(b []byte) (n int, p probe, ok bool) {
	ip, err := frame.ParseIP(b)
	if err != nil {
		return 0, p, false
	}
	p.from = ip.Src()
	m, isICMP := ip.ICMP()
	_, reply := frame.ICMPEchoOf(p.from)
	switch {
	case ip.Proto() == frame.ProtoUDP: // somebody listens there, and has answered
		u, whole := frame.ParseUDP(ip.Payload())
		p.last = true
		return int(u.SrcPort()) - t.Port, p, whole && !t.ICMP && p.from == t.to
	case !isICMP:
		return 0, p, false
	case m.Type() == reply:
		p.last = true
		return int(m.Seq()), p, t.ICMP && m.ID() == t.number && p.from == t.to
	case !ip.IsICMPError():
		return 0, p, false
	case ip.Is4() && m.Type() != frame.ICMPTimeExceeded:
		p.last, p.mark = true, m.Error().Traceroute()
	case !ip.Is4() && m.Type() != frame.ICMPv6TimeExceeded:
		p.last, p.mark = true, m.Error().TracerouteV6()
	}
	n, ok = t.quoted(ip)
	return n, p, ok
}

// quoted finds the number in the packet that an error quotes.
func (t *tracer) quoted(ip frame.IP) (n int, ok bool) {
	quote, ok := ip.Quote()
	if !ok || quote.Dst() != t.to {
		return 0, false
	}
	if t.ICMP {
		echo := frame.ICMP(quote.Payload())
		return int(echo.Seq()), quote.IsICMP() && echo.ID() == t.number
	}
	u := frame.UDP(quote.Payload())
	return int(u.DstPort()) - t.Port, quote.Proto() == frame.ProtoUDP && u.SrcPort() == t.number
}

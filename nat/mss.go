package nat

import (
	"encoding/binary"

	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// The option of TCP that says how large segments may be (RFC 9293 3.7.1), and what its absence means for IPv4.
const (
	optionMSS    = 2
	mssLength    = 4
	defaultMSS   = 536
	leastHeaders = frame.IPv4Header + frame.TCPHeader
)

// limitMSS does what the rules of TCPMSS ask for, as the kernel does (xt_TCPMSS.c): the maximum segment size that the
// segment offers becomes smaller, never larger, and one that offers none gets the option if there is room for it.
func (g *Gateway) limitMSS(p *packet, m rule.MSS, hook trace.Hook) {
	limit, ok := p.mssLimit(m)
	t, isTCP := frame.ParseTCP(p.ip.Payload())
	if !ok || !isTCP || p.ip.FragmentOffset() != 0 {
		return
	}
	at := findMSS(t)
	before := uint16(defaultMSS)
	switch {
	case at > 0:
		if before = binary.BigEndian.Uint16(t[at:]); before <= limit {
			return
		}
		p.putMSS(t, at, before, limit)
	default:
		if limit = min(limit, defaultMSS); !p.addMSS(limit) {
			return
		}
	}
	if p.j.On() {
		e := p.event(hook, trace.Rewrite, trace.MSSLimited)
		e.After, e.Count, e.Size = p.tuple, uint32(limit), uint32(before)
		e.Rule, e.Chain, e.Target = m.Rule.String(), m.Rule.Chain(), m.Rule.Target()
		p.emit(e)
	}
}

// mssLimit is the largest segment that the rules allow. What fits is what the narrower of both interfaces carries.
func (p *packet) mssLimit(m rule.MSS) (limit uint16, ok bool) {
	limit, ok = m.Value, m.Set
	if !m.Clamp {
		return limit, ok
	}
	mtu := 0xffff
	for _, i := range []*Interface{p.in, p.out} {
		if i != nil && i.config.MTU > 0 {
			mtu = min(mtu, i.config.MTU)
		}
	}
	if mtu <= leastHeaders || mtu == 0xffff {
		return limit, ok
	}
	if fits := uint16(mtu - leastHeaders); !ok || fits < limit {
		limit = fits
	}
	return limit, true
}

// findMSS returns where in a segment the value of the option stands, or 0. A malformed option ends the search.
func findMSS(t frame.TCP) int {
	for at := frame.TCPHeader; at+mssLength <= t.HeaderLen(); {
		switch kind, length := t[at], int(t[at+1]); {
		case kind == 0:
			return 0
		case kind == 1:
			at++
		case length < 2:
			return 0
		case kind == optionMSS && length == mssLength:
			return at + 2
		default:
			at += length
		}
	}
	return 0
}

// putMSS writes the option's value. A checksum that the sender has left to the device covers it when it is made.
func (p *packet) putMSS(t frame.TCP, at int, before, after uint16) {
	binary.BigEndian.PutUint16(t[at:], after)
	if p.partial() {
		return
	}
	sum := binary.BigEndian.Uint16(t[16:])
	if at%2 == 1 { // the value's octets lie in two words of the sum
		before, after = before<<8|before>>8, after<<8|after>>8
	}
	binary.BigEndian.PutUint16(t[16:], frame.UpdateChecksum(sum, before, after))
}

// addMSS puts the option first among those of a segment without data, if the frame's memory and the header have room.
func (p *packet) addMSS(value uint16) bool {
	t := frame.TCP(p.ip.Payload())
	header, length := p.ip.HeaderLen(), len(p.ip)
	end := frame.EthernetHeader + length
	if len(t) > t.HeaderLen() || t.HeaderLen()+mssLength > 15*4 || end+mssLength > cap(p.f.Data) || length+mssLength > 0xffff {
		return false
	}
	if partial := p.partial(); partial {
		p.f.FinishChecksum() // a segment without data is short: its sum is made here
	}
	p.f.Data = p.f.Data[:max(len(p.f.Data), end+mssLength)]
	p.ip = frame.IPv4(p.f.Data[frame.EthernetHeader : end+mssLength])
	b := p.ip[header:]
	copy(b[frame.TCPHeader+mssLength:], b[frame.TCPHeader:len(b)-mssLength])
	b[frame.TCPHeader], b[frame.TCPHeader+1] = optionMSS, mssLength
	binary.BigEndian.PutUint16(b[frame.TCPHeader+2:], value)
	b[12] += mssLength / 4 << 4
	binary.BigEndian.PutUint16(b[16:], 0)
	binary.BigEndian.PutUint16(b[16:], frame.Checksum(b, frame.PseudoHeader(frame.ProtoTCP, p.ip.Src(), p.ip.Dst(), len(b))))
	binary.BigEndian.PutUint16(p.ip[2:], uint16(len(p.ip)))
	p.ip.SetChecksum()
	p.segment.Length += mssLength
	return true
}

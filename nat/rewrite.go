package nat

import (
	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// rewrite changes the packet's addresses and ports, and each checksum by the difference (RFC 1624). The identifier of ICMP is
// the port of both ends: whichever changes, both do.
func (p *packet) rewrite(src frame.Addr, srcPort uint16, dst frame.Addr, dstPort uint16) {
	if frame.IsICMP(p.tuple.Proto) {
		if srcPort == p.tuple.SrcPort {
			srcPort = dstPort
		}
		dstPort = srcPort
	}
	after := frame.Tuple{SrcIP: src, DstIP: dst, SrcPort: srcPort, DstPort: dstPort, Proto: p.tuple.Proto}
	p.ip.Rewrite(p.tuple, after, p.partial())
	p.tuple = after
}

// rewriteError translates an ICMP error inside out (RFC 5508 REQ-4, REQ-5): the quoted packet becomes what its sender
// sent, and the error goes to that sender. target is what an ordinary packet in this direction would become.
func (p *packet) rewriteError(target frame.Tuple) {
	quote, ok := p.ip.Quote()
	if !ok {
		return
	}
	if inner, ok := quote.Tuple(); ok {
		quote.Rewrite(inner, target.Reply(), false)
	}
	p.rewriteAddresses(p.tuple.SrcIP, target.DstIP)
	p.ip.SetICMPChecksum()
}

// rewriteErrorSource hides an inside address from which an error comes, if the connection's answers hide it too.
func (p *packet) rewriteErrorSource(c *conntrack.Conn, target frame.Tuple) {
	if c.Tuples[p.flow.dir].SrcIP == p.tuple.SrcIP {
		p.rewriteAddresses(target.SrcIP, p.tuple.DstIP)
	}
}

func (p *packet) rewriteAddresses(src, dst frame.Addr) {
	after := p.tuple
	after.SrcIP, after.DstIP = src, dst
	p.ip.SetAddrs(after.Src(), after.Dst())
	if !p.ip.Is4() {
		p.ip.SetICMPChecksum()
	}
	p.tuple = after
}

// leastHeaders is what the headers of a segment take at least, in bytes.
func (p *packet) leastHeaders() int {
	if p.ip.Is4() {
		return frame.IPv4Header + frame.TCPHeader
	}
	return frame.IPv6Header + frame.TCPHeader
}

// defaultMSS is what may be sent to somebody who has not said what fits, in bytes (RFC 9293 3.7.1).
func (p *packet) defaultMSS() uint16 {
	if p.ip.Is4() {
		return frame.DefaultMSS
	}
	return uint16(frame.IPv6MinMTU - p.leastHeaders())
}

// limitMSS does what the rules of TCPMSS ask for, as the kernel does (xt_TCPMSS.c): the maximum segment size that the
// segment offers becomes smaller, never larger, and one that offers none gets the option if there is room for it.
func (g *Gateway) limitMSS(p *packet, m rule.MSS, hook trace.Hook) {
	limit, ok := p.mssLimit(m)
	t, isTCP := frame.ParseTCP(p.ip.Payload())
	if !ok || !isTCP || p.ip.FragmentOffset() != 0 {
		return
	}
	before, has := t.MSS()
	if has {
		if before <= limit {
			return
		}
		t.SetMSS(limit, p.partial())
	} else {
		before = p.defaultMSS()
		if limit = min(limit, before); !p.addMSS(limit) {
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
	least := p.leastHeaders()
	if mtu <= least || mtu == 0xffff {
		return limit, ok
	}
	if fits := uint16(mtu - least); !ok || fits < limit {
		limit = fits
	}
	return limit, true
}

// addMSS gives a segment without data the option, if the frame's memory and the header have room.
func (p *packet) addMSS(value uint16) bool {
	t, length := frame.TCP(p.ip.Payload()), len(p.ip)+frame.MSSRoom
	end := frame.EthernetHeader + length
	if len(t) > t.HeaderLen() || !t.HasMSSRoom() || end > cap(p.f.Data) || length > 0xffff {
		return false
	}
	if p.partial() {
		p.f.FinishChecksum() // a segment without data is short: its sum is made here
	}
	p.f.Data = p.f.Data[:max(len(p.f.Data), end)]
	p.ip = frame.IP(p.f.Data[frame.EthernetHeader:end])
	frame.InsertMSS(p.ip, value)
	p.segment.Length += frame.MSSRoom
	return true
}

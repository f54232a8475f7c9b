package sim

import (
	"encoding/binary"
	"net/netip"

	"uswitch/switch/frame"
)

// inputICMP answers an echo request (RFC 1122 3.2.2.6), and hands answers and errors to whom they concern.
func (m *Machine) inputICMP(ip frame.IPv4, toGroup bool) {
	message, ok := frame.ParseICMP(ip.Payload())
	switch {
	case !ok || !message.ChecksumOK():
	case message.Type() == frame.ICMPEcho && !toGroup:
		message[0] = frame.ICMPEchoReply
		message.SetChecksum()
		m.answer(ip, message)
	case message.Type() == frame.ICMPEchoReply:
		if p := m.pings[message.ID()]; p != nil {
			p.replied(ip, message)
		}
	case message.IsError():
		m.inputError(ip.Src(), message)
	}
}

// fault is an ICMP error as a program sees it.
type fault struct {
	from           netip.Addr
	icmpType, code uint8
	mtu            int
}

// inputError tells the program whose packet the error quotes.
func (m *Machine) inputError(from netip.Addr, message frame.ICMP) {
	quote := quoted(message.Payload())
	if quote == nil || !m.net.owns(quote.Src()) {
		return
	}
	e := fault{from: from, icmpType: message.Type(), code: message.Code(), mtu: int(message.MTU())}
	t, ok := frame.TupleOf(quote)
	if !ok {
		return
	}
	switch t.Proto {
	case frame.ProtoICMP:
		if p := m.pings[t.SrcPort]; p != nil {
			p.failed(e, frame.ICMP(quote.Payload()).Seq())
		}
	case frame.ProtoUDP:
		if s := m.sockets[t.SrcPort]; s != nil && s.failed != nil {
			s.failed(e)
		}
	case frame.ProtoTCP:
		if c := m.conns[t]; c != nil {
			c.failed(e)
		}
	}
}

// quoted returns the view of a packet that an error quotes, whose end may be cut off, or nil if too little is there: 8
// bytes of payload are promised (RFC 792).
func quoted(b []byte) frame.IPv4 {
	if len(b) < frame.IPv4Header {
		return nil
	}
	ip := frame.IPv4(b)
	if b[0]>>4 != 4 || ip.HeaderLen() < frame.IPv4Header || len(b) < ip.HeaderLen()+8 {
		return nil
	}
	return ip
}

// sendError tells the sender of a packet what became of it, quoting all of the packet that fits 576 bytes (RFC 1812
// 4.3.2.3). Nothing is said about errors and broadcasts (RFC 1122 3.2.2).
func (m *Machine) sendError(ip frame.IPv4, toGroup bool, icmpType, code uint8, mtu uint16) {
	if message, ok := frame.ParseICMP(ip.Payload()); toGroup || ip.Proto() == frame.ProtoICMP && (!ok || !message.IsQuery()) {
		return
	}
	src, mine, err := m.net.source(ip.Src())
	if err != nil {
		return
	}
	if m.net.owns(ip.Dst()) {
		src = ip.Dst()
	}
	m.send(outgoing{proto: frame.ProtoICMP, src: src, dst: ip.Src(), payload: errorMessage(ip, icmpType, code, mtu)}, mine)
}

func errorMessage(ip frame.IPv4, icmpType, code uint8, mtu uint16) frame.ICMP {
	quote := ip[:min(len(ip), 576-frame.IPv4Header-frame.ICMPHeader)]
	message := frame.ICMP(make([]byte, frame.ICMPHeader+len(quote)))
	message[0], message[1] = icmpType, code
	binary.BigEndian.PutUint16(message[6:], mtu)
	copy(message.Payload(), quote)
	message.SetChecksum()
	return message
}

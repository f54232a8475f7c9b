package uplink

import (
	"net/netip"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// output sends a packet of the inside on its way.
func (h *Host) output(f frame.Frame, now time.Time) trace.Reason {
	ip, err := frame.ParseIPv4(f.Data[frame.EthernetHeader:])
	switch {
	case err != nil:
		return trace.IPHeader
	case ip.Src() != h.addr:
		return trace.InsideSource
	case ip.IsFragment():
		return trace.FragBad // the gateway has put them together; see MaxMTU
	}
	p := outgoing{f: f, ip: ip, now: now}
	switch ip.Proto() {
	case frame.ProtoTCP:
		return h.outputTCP(&p)
	case frame.ProtoUDP:
		return h.outputUDP(&p)
	case frame.ProtoICMP:
		return h.outputICMP(&p)
	}
	return trace.NoProto
}

// outgoing is a packet on its way out.
type outgoing struct {
	f   frame.Frame
	ip  frame.IPv4
	now time.Time
}

// damaged verifies the transport checksum, of a sender that has computed it. What a socket sends gets a new one, which
// would hide the damage.
func (p *outgoing) damaged() bool {
	payload := p.ip.Payload()
	if p.f.Offload.NeedsChecksum || p.f.Offload.ChecksumValid {
		return false
	}
	if p.ip.Proto() == frame.ProtoUDP && frame.UDP(payload).Checksum() == 0 {
		return false
	}
	return frame.Checksum(payload, frame.PseudoHeader(p.ip.Proto(), p.ip.Src(), p.ip.Dst(), len(payload))) != 0
}

// options are what a packet's IP header asks of a socket.
func (p *outgoing) options() ipOptions {
	return ipOptions{ttl: p.ip.TTL(), tos: p.ip.TOS(), dontFragment: p.ip.DontFragment()}
}

// outputUDP sends a datagram from the socket of its mapping, or from the listener of a published port.
func (h *Host) outputUDP(p *outgoing) trace.Reason {
	u, ok := frame.ParseUDP(p.ip.Payload())
	if !ok || u.Length() < frame.UDPHeader || u.Length() > len(u) {
		return trace.BadL4
	}
	if u = u[:u.Length()]; p.damaged() {
		return trace.BadL4Checksum
	}
	dst := netip.AddrPortFrom(p.ip.Dst(), u.DstPort())
	size := 0
	if p.f.Offload.GSO == frame.GSOUDPL4 {
		size = int(p.f.Offload.GSOSize)
	}
	port := outside{frame.ProtoUDP, u.SrcPort()}
	if r, ok := h.answer(p, port, dst, u.Payload()); ok {
		return r
	}
	if r := h.refuses(dst.Addr()); r != trace.NoReason {
		return r
	}
	m, sock, r := h.socketOf(port, p.now)
	if r != trace.NoReason {
		return r
	}
	m.sent.note(p.ip)
	return cut(u.Payload(), size, func(b []byte) trace.Reason {
		return why(sock.sendTo(b, dst, p.options()), p.ip.DontFragment())
	})
}

// cut sends a super-datagram in its pieces; size 0 means that it is an ordinary one, possibly empty.
func cut(payload []byte, size int, send func([]byte) trace.Reason) trace.Reason {
	if size <= 0 || len(payload) <= size {
		return send(payload)
	}
	for len(payload) > 0 {
		n := min(size, len(payload))
		if r := send(payload[:n]); r != trace.NoReason {
			return r
		}
		payload = payload[n:]
	}
	return trace.NoReason
}

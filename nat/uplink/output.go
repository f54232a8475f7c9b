//go:build !js

package uplink

import (
	"net/netip"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// output sends a packet of the inside on its way.
func (h *Host) output(f frame.Frame, now time.Time) trace.Reason {
	ip, err := frame.ParseIP(f.Data[frame.EthernetHeader:])
	switch {
	case err != nil:
		return trace.IPHeader
	case ip.Src() != h.self(!ip.Is4()):
		return trace.InsideSource
	case ip.IsFragment():
		return trace.FragBad // the gateway has put them together; see MaxMTU
	}
	p := outgoing{f: f, ip: ip, whole: !ip.Is4() && len(ip) <= h.mtu, now: now}
	switch ip.Proto() {
	case frame.ProtoTCP:
		return h.outputTCP(&p)
	case frame.ProtoUDP:
		return h.outputUDP(&p)
	}
	if ip.IsICMP() {
		return h.outputICMP(&p)
	}
	return trace.UplinkProto
}

// outgoing is a packet on its way out.
type outgoing struct {
	f     frame.Frame
	ip    frame.IP
	whole bool // in IPv6: it came in one piece, as far as its size tells, and only its sender may fragment it
	now   time.Time
}

// damaged verifies the transport checksum, of a sender that has computed it. What a socket sends gets a new one, which
// would hide the damage.
func (p *outgoing) damaged() bool {
	if p.f.Offload.NeedsChecksum || p.f.Offload.ChecksumValid {
		return false
	}
	if p.ip.Proto() == frame.ProtoUDP {
		return !frame.UDP(p.ip.Payload()).ChecksumOK(p.ip.Src(), p.ip.Dst())
	}
	return !frame.TCP(p.ip.Payload()).ChecksumOK(p.ip.Src(), p.ip.Dst())
}

// options are what a packet's IP header asks of a socket.
func (p *outgoing) options() ipOptions {
	return ipOptions{ttl: p.ip.TTL(), tos: p.ip.TOS(), dontFragment: p.whole || p.ip.Is4() && frame.IPv4(p.ip).DontFragment()}
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
	port := outsideOf(frame.ProtoUDP, dst.Addr(), u.SrcPort())
	if r, ok := h.answer(p, port, dst, u.Payload()); ok {
		return r
	}
	if r := h.refusesAlways(dst.Addr()); r != trace.NoReason {
		return r
	}
	m, sock, r := h.socketOf(port, p.now)
	if r != trace.NoReason {
		return r
	}
	m.sent.note(p.ip)
	return sock.sendAll(u.Payload(), p.pieces(), dst, p.options())
}

// pieces is how large the datagrams are that a super-datagram stands for, in bytes of payload; 0 of an ordinary one.
func (p *outgoing) pieces() int {
	if p.f.Offload.GSO == frame.GSOUDPL4 {
		return int(p.f.Offload.GSOSize)
	}
	return 0
}

// sendAll sends a datagram, or a super-datagram in its pieces: cut by the kernel where it can, which saves a system call for
// each. An empty datagram is one too.
func (s *socket) sendAll(payload []byte, pieces int, to netip.AddrPort, o ipOptions) trace.Reason {
	if pieces == 0 || len(payload) <= pieces {
		return why(s.sendTo(payload, to, o))
	}
	cut := o
	if cut.pieces = pieces; kernelCuts && s.sendTo(payload, to, cut) == nil {
		return trace.NoReason
	}
	return why(s.sendPieces(payload, pieces, to, o)) // too many, or too large for the way: none was sent
}

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

// socketOf finds the socket of a UDP or ping mapping, and opens it again if it was evicted.
func (h *Host) socketOf(port outside, now time.Time) (*mapping, *socket, trace.Reason) {
	h.mu.RLock()
	m := h.outside[port]
	var sock *socket
	if m != nil {
		sock = m.sock
	}
	h.mu.RUnlock()
	if m == nil {
		return nil, nil, trace.NATNoPort
	}
	m.used.Store(now.UnixNano())
	if sock != nil {
		return m, sock, trace.NoReason
	}
	sock, r := h.reopen(m)
	return m, sock, r
}

// reopen gives a mapping whose socket was evicted a new one at the same port.
func (h *Host) reopen(m *mapping) (*socket, trace.Reason) {
	h.mu.Lock()
	if h.closed || h.outside[m.outside()] != m {
		h.mu.Unlock()
		return nil, trace.NATNoPort
	}
	evicted, r := h.admitFlow(m.who)
	if r == trace.NoReason {
		h.sockets++
	}
	h.mu.Unlock()
	closeAll(evicted)
	if r != trace.NoReason {
		return nil, r
	}
	sock, _, r := h.openPort(m.inside.proto, m.port)
	h.mu.Lock()
	if r == trace.NoReason && m.sock == nil && h.outside[m.outside()] == m && !h.closed {
		m.sock, m.who = sock, h.source(m.inside.addr) // its source may have been forgotten while it had nothing
		m.who.flows[m] = struct{}{}
		h.running.Go(func() { h.receive(m, sock) })
		h.mu.Unlock()
		return sock, trace.NoReason
	}
	h.sockets--
	faster := m.sock // somebody else's, or nil if the mapping ended meanwhile
	h.mu.Unlock()
	if r != trace.NoReason {
		return nil, r
	}
	_ = sock.Close()
	if faster == nil {
		return nil, trace.NATNoPort
	}
	return faster, trace.NoReason
}

package uplink

import (
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// outputICMP sends an echo request, by the ping socket of its mapping or by the raw one. An error that the inside tells
// the outside goes to TCP, if it is about a connection, and otherwise the raw socket takes it, if there is one.
func (h *Host) outputICMP(p *outgoing) trace.Reason {
	if p.f.Offload.NeedsChecksum {
		p.f.FinishChecksum()
	}
	m, ok := frame.ParseICMP(p.ip.Payload())
	switch {
	case !ok || !m.ChecksumOK():
		return trace.BadICMP
	case m.IsError():
		return h.outputError(p, m)
	case m.Type() != frame.ICMPEcho:
		return trace.UplinkProto
	}
	if r := h.refusesAlways(p.ip.Dst()); r != trace.NoReason {
		return r
	}
	port := outside{frame.ProtoICMP, m.ID()}
	if raw := h.rawFor(port); raw != nil {
		return why(raw.sendTo(m, netip.AddrPortFrom(p.ip.Dst(), 0), p.options()))
	}
	known, sock, r := h.socketOf(port, p.now)
	if r != trace.NoReason {
		return r
	}
	known.sent.note(p.ip)
	return why(sock.sendTo(m, netip.AddrPortFrom(p.ip.Dst(), 0), p.options()))
}

// outputError passes an ICMP error on to the outside. About TCP it is for netstack, which is the sender of the packet that
// it quotes. About UDP only a raw socket can send it; without one the outside hears nothing, as from a host whose
// firewall is silent.
func (h *Host) outputError(p *outgoing, m frame.ICMP) trace.Reason {
	quote, ok := m.Quote()
	if !ok {
		return trace.BadICMP
	}
	if quote.Proto() == frame.ProtoTCP {
		h.net.InputLater(p.ip)
		return trace.NoReason
	}
	if r := h.refusesAlways(p.ip.Dst()); r != trace.NoReason {
		return r
	}
	if r := h.ensureRaw(); r != trace.NoReason {
		return r
	}
	h.mu.RLock()
	raw := h.raw
	h.mu.RUnlock()
	if raw == nil {
		return trace.UplinkClosed // closed meanwhile
	}
	return why(raw.sendTo(m, netip.AddrPortFrom(p.ip.Dst(), 0), p.options()))
}

// rawFor returns the raw socket if it carries the mapping.
func (h *Host) rawFor(port outside) *socket {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if m := h.outside[port]; m != nil && m.raw {
		return h.raw
	}
	return nil
}

// openRaw gives a new ICMP mapping to the raw socket, which is opened now if it is the first. The identifier is the
// sender's where that is free.
func (h *Host) openRaw(wish uint16) (*socket, uint16, trace.Reason) {
	if r := h.ensureRaw(); r != trace.NoReason {
		return nil, 0, r
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for i := range 1 << 16 {
		id := wish + uint16(i)
		if h.outside[outside{frame.ProtoICMP, id}] == nil {
			return nil, id, trace.NoReason
		}
	}
	return nil, 0, trace.NATNoPort
}

// ensureRaw opens the raw socket, once.
func (h *Host) ensureRaw() trace.Reason {
	h.mu.RLock()
	have := h.raw != nil
	h.mu.RUnlock()
	if have {
		return trace.NoReason
	}
	sock, err := openRawSocket()
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EPROTONOSUPPORT) {
		return trace.NoICMPSocket
	}
	if err != nil {
		return why(err)
	}
	h.mu.Lock()
	if h.raw != nil || h.closed {
		h.mu.Unlock()
		_ = sock.Close()
		return trace.NoReason
	}
	h.raw = sock
	h.running.Go(func() {
		h.readAll(sock, frame.EthernetHeader, h.receiveRaw, func(failure) {}) // a raw socket reads the errors themselves
	})
	h.mu.Unlock()
	return trace.NoReason
}

// receiveRaw hands in what the raw socket reads, whole IP packets, of which it reads all of the host's ICMP: replies to
// identifiers that are mapped here, and errors about them.
func (h *Host) receiveRaw(b []byte, r received) {
	ip, err := frame.ParseIPv4(b[frame.EthernetHeader:][:r.n])
	if err != nil || ip.IsFragment() {
		return
	}
	m, ok := frame.ParseICMP(ip.Payload())
	if !ok || !m.ChecksumOK() {
		return
	}
	src := ip.Src()
	switch {
	case m.Type() == frame.ICMPEchoReply && h.rawFor(outside{frame.ProtoICMP, m.ID()}) != nil:
	case m.IsError() && m.Type() != frame.ICMPRedirect && h.ownQuote(m):
		if quote := frame.IPv4(m.Payload()); h.says(src, quote) {
			h.report(nat.Failure{Type: m.Type(), Code: m.Code(), MTU: m.MTU(), Packet: quote})
			return
		}
	default:
		return
	}
	ip.SetAddrs(src, h.addr)
	ip.SetChecksum()
	h.inject(frame.Frame{Data: b[:frame.EthernetHeader+len(ip)]})
}

// ownQuote reports whether an error is about an echo request of a mapping of the raw socket, and makes the quoted
// source the uplink's address, which is not always the one that the host's routing chose.
func (h *Host) ownQuote(m frame.ICMP) bool {
	quote, ok := m.Quote()
	if !ok || quote.Proto() != frame.ProtoICMP {
		return false
	}
	echo := frame.ICMP(quote.Payload())
	if echo.Type() != frame.ICMPEcho || h.rawFor(outside{frame.ProtoICMP, echo.ID()}) == nil {
		return false
	}
	quote.SetAddrs(h.addr, quote.Dst())
	quote.SetChecksum()
	m.SetChecksum()
	return true
}

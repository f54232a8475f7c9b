package uplink

import (
	"net/netip"

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

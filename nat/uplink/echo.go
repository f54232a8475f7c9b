//go:build !js

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
	case !ok || !p.ip.ICMPChecksumOK():
		return trace.BadICMP
	case p.ip.IsICMPError():
		return h.outputError(p, m)
	case !isEcho(p.ip, m):
		return trace.UplinkProto
	}
	if r := h.refusesAlways(p.ip.Dst()); r != trace.NoReason {
		return r
	}
	port := outsideOf(p.ip.Proto(), p.ip.Dst(), m.ID())
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

// isEcho reports whether an ICMP message is an echo request, of its packet's family.
func isEcho(ip frame.IP, m frame.ICMP) bool {
	return ip.Is4() && m.Type() == frame.ICMPEcho || !ip.Is4() && m.Type() == frame.ICMPv6Echo
}

// outputError passes an ICMP error on to the outside. About TCP it is for netstack, which is the sender of the packet that
// it quotes. About UDP only a raw socket can send it; without one the outside hears nothing, as from a host whose
// firewall is silent.
func (h *Host) outputError(p *outgoing, m frame.ICMP) trace.Reason {
	quote, ok := p.ip.Quote()
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
	v6 := p.ip.Dst().Is6()
	if r := h.ensureRaw(v6); r != trace.NoReason {
		return r
	}
	h.mu.RLock()
	raw := h.raw[v6]
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
		return h.raw[port.v6]
	}
	return nil
}

// openRaw gives a new ICMP mapping to the raw socket, which is opened now if it is the first. The identifier is the
// sender's where that is free.
func (h *Host) openRaw(wish outside) (*socket, uint16, trace.Reason) {
	if r := h.ensureRaw(wish.v6); r != trace.NoReason {
		return nil, 0, r
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for range 1 << 16 {
		if h.outside[wish] == nil {
			return nil, wish.port, trace.NoReason
		}
		wish.port++
	}
	return nil, 0, trace.NATNoPort
}

// ensureRaw opens the raw socket of a family, once.
func (h *Host) ensureRaw(v6 bool) trace.Reason {
	h.mu.RLock()
	have := h.raw[v6] != nil
	h.mu.RUnlock()
	if have {
		return trace.NoReason
	}
	sock, err := openRawSocket(v6)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EPROTONOSUPPORT) {
		return trace.NoICMPSocket
	}
	if err != nil {
		return why(err)
	}
	h.mu.Lock()
	if h.raw[v6] != nil || h.closed {
		h.mu.Unlock()
		_ = sock.Close()
		return trace.NoReason
	}
	h.raw[v6] = sock
	at, read := frame.EthernetHeader, h.receiveRaw
	if v6 {
		at, read = frame.EthernetHeader+frame.IPv6Header, h.receiveRaw6
	}
	h.running.Go(func() { h.readAll(sock, at, read, func(failure) {}) }) // a raw socket reads the errors themselves
	h.mu.Unlock()
	return trace.NoReason
}

// receiveRaw6 is receiveRaw in IPv6, where the kernel keeps the header to itself (RFC 3542 3).
func (h *Host) receiveRaw6(b []byte, r received) {
	if r.from.Addr().IsValid() {
		r.n += frame.IPv6Header
		h.header(b, r.n, frame.ProtoICMPv6, r.ttl, r.tos, r.from.Addr().WithZone("")).SetICMPChecksum() // it has verified that one
		h.receiveRaw(b, r)
	}
}

// receiveRaw hands in what the raw socket reads, whole IP packets, of which it reads all of the host's ICMP: replies to
// identifiers that are mapped here, and errors about them.
func (h *Host) receiveRaw(b []byte, r received) {
	ip, err := frame.ParseIP(b[frame.EthernetHeader:][:r.n])
	if err != nil || ip.IsFragment() {
		return
	}
	m, ok := ip.ICMP()
	if !ok || !ip.ICMPChecksumOK() {
		return
	}
	src := ip.Src()
	switch {
	case ip.IsICMPQuery() && !ip.IsICMPQuestion() && h.rawFor(outsideOf(ip.Proto(), src, m.ID())) != nil:
	case ip.IsICMPError() && !(ip.Is4() && m.Type() == frame.ICMPRedirect) && h.ownQuote(ip):
		if quote := frame.IP(m.Payload()); h.says(src, quote) {
			h.report(nat.Failure{Type: m.Type(), Code: m.Code(), MTU: m.MTU(), Packet: quote})
			return
		}
	default:
		return
	}
	ip.SetAddrs(src, h.self(src.Is6()))
	ip.SetChecksum()
	ip.SetICMPChecksum()
	h.inject(frame.Frame{Data: b[:frame.EthernetHeader+len(ip)]})
}

// ownQuote reports whether an error is about an echo request of a mapping of the raw socket, and makes the quoted
// source the uplink's address, which is not always the one that the host's routing chose.
func (h *Host) ownQuote(ip frame.IP) bool {
	quote, ok := ip.Quote()
	if !ok {
		return false
	}
	echo, ok := quote.ICMP()
	if !ok || !isEcho(quote, echo) || h.rawFor(outsideOf(quote.Proto(), quote.Dst(), echo.ID())) == nil {
		return false
	}
	quote.SetAddrs(h.self(!ip.Is4()), quote.Dst())
	quote.SetChecksum()
	return true
}

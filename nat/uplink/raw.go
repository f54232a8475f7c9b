package uplink

import (
	"errors"

	"golang.org/x/sys/unix"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

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

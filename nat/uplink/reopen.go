package uplink

import (
	"time"

	"uswitch/switch/trace"
)

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
	evicted, r := h.admit(m.who)
	h.mu.Unlock()
	closeAll(evicted)
	if r != trace.NoReason {
		return nil, r
	}
	sock, _, r := h.openPort(m.inside.proto, m.port)
	h.mu.Lock()
	if r == trace.NoReason && m.sock == nil && h.outside[m.outside()] == m && !h.closed {
		m.sock, m.who = sock, h.source(m.from) // its source may have been forgotten while it had nothing
		m.who.flows[m] = struct{}{}
		h.running.Go(func() { h.receive(m, sock) })
		evicted = h.trim(m.who)
		h.mu.Unlock()
		closeAll(evicted)
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

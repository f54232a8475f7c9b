//go:build !js

package uplink

import (
	"net/netip"

	"uswitch/switch/trace"
)

// dial is a TCP connection of a mapping, before and after it is connected. Guarded by Host.mu.
type dial struct {
	m      *mapping
	refs   int
	order  uint64 // of beginning
	sock   *socket
	syn    []byte // as it left: what an ICMP error quotes
	paid   bool   // startDial has counted the attempt that is to come
	splice *splice
}

// takeDial takes the socket of a dial away, which ends the attempt, if there is one.
func (h *Host) takeDial(d *dial) []closer {
	if d.sock == nil {
		return nil
	}
	sock := d.sock
	d.sock = nil
	delete(d.m.who.dials, d)
	h.sockets--
	h.drop(d.m.who)
	return []closer{sock}
}

// beginDial finds the socket that Bind has reserved, or opens one at the same port: for a further destination of the
// same mapping, or when a SYN is repeated after the first attempt was given up.
func (h *Host) beginDial(port outside, to netip.AddrPort) (*dial, *socket, trace.Reason) {
	h.mu.Lock()
	d := h.dialOf(port, to)
	switch {
	case d == nil || h.closed:
		h.mu.Unlock()
		return nil, nil, trace.NoReason
	case d.sock != nil:
		defer h.mu.Unlock()
		return d, d.sock, trace.NoReason
	case !d.paid: // the socket was given up since the SYN came
		defer h.mu.Unlock()
		return d, nil, trace.NoReason
	}
	d.paid = false
	s := h.source(d.m.from)
	evicted, r := h.admitDial(s)
	h.mu.Unlock()
	closeAll(evicted)
	if r != trace.NoReason {
		return d, nil, r
	}
	sock, _, r := h.openPort(port)
	h.mu.Lock()
	if r == trace.NoReason && d.sock == nil && d.refs > 0 && !h.closed {
		h.order++
		d.sock, d.order = sock, h.order
		d.m.who = h.source(d.m.from)
		d.m.who.dials[d] = struct{}{}
		evicted = h.trim(d.m.who)
		h.mu.Unlock()
		closeAll(evicted)
		return d, sock, trace.NoReason
	}
	h.sockets--
	h.mu.Unlock()
	if sock != nil {
		_ = sock.Close()
	}
	return d, nil, r
}

// endDial closes the socket of an attempt that failed, unless somebody has given it up already.
func (h *Host) endDial(d *dial, sock *socket) {
	h.mu.Lock()
	var end []closer
	if d.sock == sock {
		end = h.takeDial(d)
	}
	h.mu.Unlock()
	closeAll(end)
}

// connected turns a dial into a connection, and returns false if it was given up meanwhile.
func (h *Host) connected(d *dial, sock *socket) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.sock != sock {
		return false
	}
	d.sock = nil
	delete(d.m.who.dials, d)
	d.m.who.conns++
	d.m.who.cameAbout()
	return true
}

// disconnect gives back the socket of a connection that inside source had.
func (h *Host) disconnect(who sender, conn stream) {
	_ = conn.SetLinger(0) // a RST, unless both sides have closed in order
	_ = conn.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets--
	if s := h.sources[who]; s != nil {
		s.conns--
		h.drop(s)
	}
}

//go:build !js

package uplink

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// bindTries is how often another port is taken when the kernel offers one that the table still remembers.
const bindTries = 64

// Bind implements nat.Binder. UDP and ICMP get a socket for each inside endpoint, TCP one for each connection, each bound
// to the endpoint's port.
func (h *Host) Bind(b nat.Binding, now time.Time) (netip.AddrPort, trace.Reason) {
	t := b.Tuple
	if t.Proto == frame.ProtoTCP && !h.mayBegin(b, now) {
		return netip.AddrPort{}, trace.DialRate
	}
	if r := h.refuses(t.Dst()); r != trace.NoReason {
		return netip.AddrPort{}, r
	}
	if t.Proto != frame.ProtoTCP && t.Proto != frame.ProtoUDP && t.Proto != frame.ProtoICMPOf(t.Dst()) {
		return netip.AddrPort{}, trace.UplinkProto
	}
	key := inside{endpoint{t.Proto, t.SrcIP, t.SrcPort}, b.Ports}
	h.mu.Lock()
	if m := h.inside[key]; m != nil {
		defer h.mu.Unlock()
		return h.use(m, t), trace.NoReason
	}
	evicted, r := h.admitNew(b, now)
	h.mu.Unlock()
	closeAll(evicted)
	if r != trace.NoReason {
		return netip.AddrPort{}, r
	}
	return h.bindNew(key, b, now)
}

// mayBegin is mayDial for whoever wants a connection: a flood of them is to cost as little as can be.
func (h *Host) mayBegin(b nat.Binding, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.sources[sender{source: b.Source}]
	return s == nil || h.mayDial(s, now)
}

// admitNew makes room for the socket of a new mapping.
func (h *Host) admitNew(b nat.Binding, now time.Time) (evicted []closer, r trace.Reason) {
	s := h.source(sender{source: b.Source})
	defer h.drop(s)
	switch {
	case h.closed:
		return nil, trace.UplinkClosed
	case b.Tuple.Proto == frame.ProtoTCP:
		if r := h.startDial(s, now); r != trace.NoReason {
			return nil, r
		}
		return h.admitDial(s)
	}
	return h.admit(s)
}

// bindNew opens the socket of a new mapping, outside the lock, and enters the mapping.
func (h *Host) bindNew(key inside, b nat.Binding, now time.Time) (netip.AddrPort, trace.Reason) {
	t := b.Tuple
	for try := range bindTries {
		sock, port, r := h.openBound(b, try)
		if r == trace.NATNoPort && try < int(key.ports.Max-key.ports.Min) && try+1 < bindTries {
			continue
		}
		if r != trace.NoReason {
			h.uncount()
			return netip.AddrPort{}, r
		}
		h.mu.Lock()
		m := h.inside[key]
		if m == nil && !h.closed && (h.outside[key.outside(port)] == nil || try == bindTries-1 && h.adoptPort(key.outside(port))) {
			own, evicted := h.enter(key, port, sock, b, now)
			h.mu.Unlock()
			closeAll(evicted)
			return own, trace.NoReason
		}
		own, closed := netip.AddrPort{}, h.closed
		if m != nil && !closed {
			own = h.use(m, t) // somebody was faster
		}
		h.mu.Unlock()
		if sock != nil {
			_ = sock.Close()
		}
		switch {
		case closed:
			h.uncount()
			return own, trace.UplinkClosed
		case m != nil:
			h.uncount()
			return own, trace.NoReason
		}
	}
	h.uncount()
	return netip.AddrPort{}, trace.NATNoPort
}

// uncount gives back what admit has counted.
func (h *Host) uncount() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets--
}

// adoptPort reports whether a port may go to a new mapping although an old one has it: when hardly any other is left, and
// the old one has lost its socket to busier ones. Should it send again, it shares the new socket, and answers are told
// apart by who sends them.
func (h *Host) adoptPort(port outside) bool {
	o := h.outside[port]
	if port.proto == frame.ProtoTCP || o.sock != nil || o.raw {
		return false
	}
	delete(h.inside, o.inside)
	return true
}

// Release implements nat.Binder. With its last flow a mapping ends. A TCP connection that the gateway has forgotten is
// reset, unless the inside has closed it: then what it sent is still delivered.
func (h *Host) Release(t frame.Tuple) {
	h.mu.Lock()
	m := h.outside[outsideOf(t.Proto, t.Src(), t.SrcPort)]
	if m == nil {
		h.mu.Unlock()
		return
	}
	var end []closer
	var over *splice
	if d := m.dials[destination(t)]; d != nil {
		if d.refs--; d.refs == 0 {
			delete(m.dials, destination(t))
			end, over = h.takeDial(d), d.splice
		}
	}
	if m.refs--; m.refs == 0 {
		end = append(end, h.forget(m)...)
	}
	h.mu.Unlock()
	closeAll(end)
	if over != nil {
		over.release()
	}
}

func destination(t frame.Tuple) netip.AddrPort { return netip.AddrPortFrom(t.Dst(), t.DstPort) }

// openBound opens a socket for a new mapping and tells which port it got. The first try is the sender's own port or
// identifier, as with MASQUERADE in Linux, where that is free here, unless the rule wants another or it is root's (below
// 1024, of TCP and UDP); then any port, random for TCP (RFC 6056) and of the kernel's choice for UDP. Of a rule's range each
// try is the next one. A nil socket means that the raw socket will carry the mapping.
func (h *Host) openBound(b nat.Binding, try int) (*socket, uint16, trace.Reason) {
	wish := outsideOf(b.Tuple.Proto, b.Tuple.Src(), b.Tuple.SrcPort)
	if b.Ports != (nat.PortRange{}) {
		span := int(b.Ports.Max) - int(b.Ports.Min) + 1
		at := 0
		if b.Random {
			at = rand.IntN(span)
		} else if b.Ports.Contains(wish.port) {
			at = int(wish.port - b.Ports.Min)
		}
		wish.port = b.Ports.Min + uint16((at+try)%span)
		return h.openNew(wish)
	}
	if try == 0 && !b.Random && (wish.port >= 1024 || frame.IsICMP(wish.proto)) {
		if sock, port, r := h.openNew(wish); r != trace.NATNoPort {
			return sock, port, r
		}
	}
	wish.port = 0
	return h.openNew(wish)
}

// openNew opens a socket at a port that nobody else has, 0 meaning any.
func (h *Host) openNew(port outside) (*socket, uint16, trace.Reason) {
	sock, own, r := h.openFor(port, true)
	if r == trace.NoICMPSocket {
		return h.openRaw(port)
	}
	return sock, own, r
}

// openPort opens a socket bound to a port, 0 meaning any. When the process has no file descriptor left, whoever can spare
// the most gives one up, once.
func (h *Host) openPort(port outside) (*socket, uint16, trace.Reason) {
	return h.openFor(port, false)
}

// openFor is openPort; alone, nobody else may have the port, not even with SO_REUSEADDR.
func (h *Host) openFor(wish outside, alone bool) (*socket, uint16, trace.Reason) {
	sock, port, err := openSocket(wish, h.ports, alone)
	if errors.Is(err, unix.EMFILE) && h.evictOne() {
		sock, port, err = openSocket(wish, h.ports, alone)
	}
	if err != nil {
		return nil, 0, whyNoSocket(wish.proto, err)
	}
	return sock, port, trace.NoReason
}

// whyNoSocket is why for a socket that could not be opened: a ping socket is not for everybody (icmp(7): ping_group_range).
func whyNoSocket(proto uint8, err error) trace.Reason {
	if errors.Is(err, unix.EPROTONOSUPPORT) || frame.IsICMP(proto) && (errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)) {
		return trace.NoICMPSocket
	}
	return why(err)
}

// evictOne closes one socket of whoever can spare the most, if anybody can.
func (h *Host) evictOne() bool {
	h.mu.Lock()
	end := h.evict()
	h.mu.Unlock()
	closeAll(end)
	return len(end) > 0
}

// why turns what the kernel says about a packet or a socket into a reason. About a datagram with DF that is too big the
// kernel's own message follows (see receiveFailure).
func why(err error) trace.Reason {
	var errno unix.Errno
	if err == nil {
		return trace.NoReason
	}
	if !errors.As(err, &errno) {
		return trace.UplinkClosed
	}
	switch errno {
	case unix.EMFILE, unix.ENFILE, unix.ENOMEM:
		return trace.NoMem
	case unix.EADDRNOTAVAIL, unix.EADDRINUSE:
		return trace.NATNoPort
	case unix.ENETUNREACH, unix.ENETDOWN, unix.EAFNOSUPPORT: // of a machine without IPv6
		return trace.NoRoute
	case unix.EHOSTUNREACH, unix.EHOSTDOWN:
		return trace.Unreachable
	case unix.EACCES, unix.EPERM, unix.EINVAL: // of a firewall, and of routes: fib_props in net/ipv4/fib_semantics.c
		return trace.UplinkForbid
	case unix.ECONNREFUSED:
		return trace.Refused
	case unix.EMSGSIZE:
		return trace.UplinkTooBig
	}
	return trace.UplinkError
}

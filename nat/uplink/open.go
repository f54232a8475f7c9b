package uplink

import (
	"errors"
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// openBound opens a socket for a new mapping and tells which port it got. The first try is the sender's own port or
// identifier, as with MASQUERADE in Linux, where that is free here, unless the rule wants another or it is root's (below
// 1024, of TCP and UDP); then any port, random for TCP (RFC 6056) and of the kernel's choice for UDP. Of a rule's range each
// try is the next one. A nil socket means that the raw socket will carry the mapping.
func (h *Host) openBound(b nat.Binding, try int) (*socket, uint16, trace.Reason) {
	proto, wish := b.Tuple.Proto, b.Tuple.SrcPort
	if b.Ports != (nat.PortRange{}) {
		span := int(b.Ports.Max) - int(b.Ports.Min) + 1
		at := 0
		if b.Random {
			at = rand.IntN(span)
		} else if b.Ports.Contains(wish) {
			at = int(wish - b.Ports.Min)
		}
		wish = b.Ports.Min + uint16((at+try)%span)
		return h.openNew(proto, wish)
	}
	if try == 0 && !b.Random && (wish >= 1024 || proto == frame.ProtoICMP) {
		if sock, port, r := h.openNew(proto, wish); r != trace.NATNoPort {
			return sock, port, r
		}
	}
	return h.openNew(proto, 0)
}

// openNew opens a socket at a port that nobody else has, 0 meaning any.
func (h *Host) openNew(proto uint8, port uint16) (*socket, uint16, trace.Reason) {
	sock, own, r := h.openFor(proto, port, true)
	if r == trace.NoICMPSocket {
		return h.openRaw(port)
	}
	return sock, own, r
}

// openPort opens a socket bound to a port, 0 meaning any. When the process has no file descriptor left, whoever can spare
// the most gives one up, once.
func (h *Host) openPort(proto uint8, port uint16) (*socket, uint16, trace.Reason) {
	return h.openFor(proto, port, false)
}

// openFor is openPort; alone, nobody else may have the port, not even with SO_REUSEADDR.
func (h *Host) openFor(proto uint8, wish uint16, alone bool) (*socket, uint16, trace.Reason) {
	sock, port, err := openSocket(proto, wish, h.ports, alone)
	if errors.Is(err, unix.EMFILE) && h.relieve() {
		sock, port, err = openSocket(proto, wish, h.ports, alone)
	}
	switch {
	case err == nil:
		return sock, port, trace.NoReason
	case proto == frame.ProtoICMP && (errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)),
		errors.Is(err, unix.EPROTONOSUPPORT):
		return nil, 0, trace.NoICMPSocket
	}
	return nil, 0, why(err)
}

// relieve closes one socket of whoever can spare the most, if anybody can.
func (h *Host) relieve() bool {
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
	case unix.ENETUNREACH, unix.ENETDOWN:
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

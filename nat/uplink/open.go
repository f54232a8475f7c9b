package uplink

import (
	"errors"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// openBound opens a socket for a new mapping and tells which port it got. ICMP keeps the sender's identifier where it is
// free; TCP and UDP ports are random (RFC 6056) and never below 1024, UDP's of the kernel's choice. A nil socket means that
// the raw socket will carry the mapping.
func (h *Host) openBound(key endpoint, wish uint16) (*socket, uint16, trace.Reason) {
	if key.proto != frame.ProtoICMP {
		return h.openPort(key.proto, 0)
	}
	sock, port, r := h.openPort(key.proto, wish)
	if r == trace.NATNoPort {
		sock, port, r = h.openPort(key.proto, 0)
	}
	if r == trace.NoICMPSocket {
		return h.openRaw(wish)
	}
	return sock, port, r
}

// openPort opens a socket bound to a port, 0 meaning any. When the process has no file descriptor left, whoever can spare
// the most gives one up, once.
func (h *Host) openPort(proto uint8, port uint16) (*socket, uint16, trace.Reason) {
	sock, port, err := openSocket(proto, port, h.ports)
	if errors.Is(err, unix.EMFILE) && h.relieve() {
		sock, port, err = openSocket(proto, port, h.ports)
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

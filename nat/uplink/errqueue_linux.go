package uplink

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// failure is an ICMP error, or the kernel's own, about a datagram that left by a socket.
type failure struct {
	to             netip.AddrPort // where the datagram went; for a ping socket the port means nothing
	from           netip.Addr     // who says so; invalid if it is this kernel
	icmpType, code uint8
	mtu            uint16
	ttl            uint8  // of the message as it arrived; 0 if the kernel does not tell
	quote          []byte // what followed the datagram's transport header; for a ping socket its ICMP header too
}

// Origins of struct sock_extended_err (linux/errqueue.h).
const (
	originLocal = 1
	originICMP  = 2
)

// receiveFailure takes one error off the socket's error queue, if there is one (ip(7), IP_RECVERR).
func receiveFailure(fd int, b, oob []byte) (f failure, ok bool) {
	n, oobn, _, to, err := unix.Recvmsg(fd, b, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	if err != nil {
		return f, false
	}
	f.to, f.quote = addrPort(to), b[:n]
	eachMessage(oob[:oobn], func(level, kind int32, data []byte) {
		if level != unix.IPPROTO_IP {
			return
		}
		if kind == unix.IP_TTL && len(data) >= 4 {
			f.ttl = uint8(binary.NativeEndian.Uint32(data))
		}
		if kind != unix.IP_RECVERR || len(data) < 16 {
			return
		}
		errno, origin := unix.Errno(binary.NativeEndian.Uint32(data)), data[4]
		f.mtu = uint16(binary.NativeEndian.Uint32(data[8:]))
		switch {
		case origin == originICMP:
			f.icmpType, f.code = data[5], data[6]
			if len(data) >= 16+8 && binary.NativeEndian.Uint16(data[16:]) == unix.AF_INET {
				f.from = netip.AddrFrom4([4]byte(data[20:24]))
			}
		case origin == originLocal && errno == unix.EMSGSIZE:
			f.icmpType, f.code = frame.ICMPUnreachable, frame.UnreachableTooBig
		}
	})
	if !f.from.IsValid() {
		f.ttl = 0 // there was no message: the kernel tells the TTL of what was to be sent
	}
	return f, true
}

package uplink

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

func newSocket(kind, proto int, v6 bool) (int, error) {
	kind |= unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	if !v6 {
		return unix.Socket(unix.AF_INET, kind, proto)
	}
	fd, err := unix.Socket(unix.AF_INET6, kind, proto)
	if err == nil {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1) // IPv4 has sockets of its own
	}
	return fd, err
}

// prepare sets the options that a socket must have before it is bound. TCP: what is small leaves at once. Others: TTL and
// type of service of what arrives, and ICMP errors with their offender (ip(7): IP_RECVERR).
func prepare(fd int, proto uint8, v6 bool) error {
	if proto == frame.ProtoTCP {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	setDontFragment(fd, v6, false)
	if proto == frame.ProtoUDP {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1) // a kernel without (before 5.0) reads one at a time
	}
	// Ping sockets share an identifier unless one of them objects, and of two only one would get the replies.
	if v6 {
		return first(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 0),
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1),
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1),
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1))
	}
	return first(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 0),
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVTTL, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVTOS, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1))
}

func sharePort(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) }

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// queueDrops asks how much a socket's queue has dropped since it was opened (socket(7): SO_MEMINFO, the last of its numbers,
// which /proc/net/udp shows too).
func queueDrops(fd int) uint64 {
	var info [9]uint32 // up to SK_MEMINFO_DROPS in linux/sock_diag.h
	size := uint32(unsafe.Sizeof(info))
	_, _, failed := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if failed != 0 {
		return 0 // a kernel before 4.12 does not say
	}
	return uint64(info[len(info)-1])
}

// setDontFragment makes datagrams leave with DF or without. The kernel's own path MTU discovery would decide for the
// sender inside, which has its own.
func setDontFragment(fd int, v6, on bool) {
	mode := unix.IP_PMTUDISC_DONT
	if on {
		mode = unix.IP_PMTUDISC_DO
	}
	if v6 { // whose modes have the same numbers
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, mode)
		return
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, mode) // every kernel has it
}

// kernelCuts says that a socket takes super-datagrams (udp(7): UDP_SEGMENT, since Linux 4.18).
const kernelCuts = true

// message returns the control message that gives one datagram its TTL and type of service, and has it cut.
func (o ipOptions) message(v6 bool) []byte {
	b := make([]byte, 0, 3*unix.CmsgSpace(4)+unix.CmsgSpace(unix.SizeofInet6Pktinfo))
	if v6 {
		return o.message6(b)
	}
	b = appendMessage(b, unix.IPPROTO_IP, unix.IP_TTL, binary.NativeEndian.AppendUint32(nil, uint32(o.ttl)))
	b = appendMessage(b, unix.IPPROTO_IP, unix.IP_TOS, binary.NativeEndian.AppendUint32(nil, uint32(o.tos)))
	if o.from.IsValid() {
		var info [unix.SizeofInet4Pktinfo]byte // ipi_ifindex, ipi_spec_dst, ipi_addr
		own := o.from.As4()
		copy(info[4:8], own[:])
		b = appendMessage(b, unix.IPPROTO_IP, unix.IP_PKTINFO, info[:])
	}
	return o.cut(b)
}

// message6 is message in IPv6.
func (o ipOptions) message6(b []byte) []byte {
	b = appendMessage(b, unix.IPPROTO_IPV6, unix.IPV6_HOPLIMIT, binary.NativeEndian.AppendUint32(nil, uint32(o.ttl)))
	b = appendMessage(b, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, binary.NativeEndian.AppendUint32(nil, uint32(o.tos)))
	if o.from.IsValid() {
		var info [unix.SizeofInet6Pktinfo]byte // ipi6_addr, ipi6_ifindex
		own := o.from.As16()
		copy(info[:], own[:])
		b = appendMessage(b, unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, info[:])
	}
	return o.cut(b)
}

// cut adds that a super-datagram is to be cut.
func (o ipOptions) cut(b []byte) []byte {
	if o.pieces > 0 {
		b = appendMessage(b, unix.IPPROTO_UDP, unix.UDP_SEGMENT, binary.NativeEndian.AppendUint16(nil, uint16(o.pieces)))
	}
	return b
}

func appendMessage(b []byte, level, kind int32, data []byte) []byte {
	at := len(b)
	b = b[:at+unix.CmsgSpace(len(data))]
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[at]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(len(data)))
	copy(b[at+unix.CmsgLen(0):], data)
	return b
}

// prepareListener asks for the address that a client wrote to (ip(7): IP_PKTINFO).
func prepareListener(fd int, v6 bool) error {
	if v6 {
		return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
}

// connected asks what became of an attempt to connect: the kernel says so to whoever calls connect(2) once more. That is one
// system call, and when both ends are on this machine the answer is often there at once.
func connected(fd int, to unix.Sockaddr) (done bool, err error) {
	err = unix.Connect(fd, to)
	return !errors.Is(err, unix.EALREADY) && !errors.Is(err, unix.EINTR), err
}

// queued is how many bytes of a TCP socket can be read at once (tcp(7): SIOCINQ).
func queued(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.SIOCINQ) }

// received is what arrived besides a datagram's payload.
type received struct {
	n        int
	from     netip.AddrPort
	ttl, tos uint8
	local    netip.Addr // that it was sent to, if asked for (IP_PKTINFO)
	pieces   int        // bytes of each datagram but the last, if the kernel has put several together; else 0
}

// read takes what control messages tell of a datagram.
func (r *received) read(oob []byte) {
	eachMessage(oob, func(level, kind int32, data []byte) {
		switch {
		case level == unix.IPPROTO_UDP && kind == unix.UDP_GRO && len(data) >= 4:
			r.pieces = int(binary.NativeEndian.Uint32(data))
		case level == unix.IPPROTO_IPV6:
			r.read6(kind, data)
		case level != unix.IPPROTO_IP:
		case kind == unix.IP_TTL && len(data) >= 4:
			r.ttl = uint8(binary.NativeEndian.Uint32(data))
		case kind == unix.IP_TOS && len(data) >= 1:
			r.tos = data[0]
		case kind == unix.IP_PKTINFO && len(data) >= 12:
			r.local = netip.AddrFrom4([4]byte(data[4:8])) // ipi_spec_dst
		}
	})
}

// read6 is read for one message of IPv6's.
func (r *received) read6(kind int32, data []byte) {
	switch {
	case kind == unix.IPV6_HOPLIMIT && len(data) >= 4:
		r.ttl = uint8(binary.NativeEndian.Uint32(data))
	case kind == unix.IPV6_TCLASS && len(data) >= 4:
		r.tos = uint8(binary.NativeEndian.Uint32(data))
	case kind == unix.IPV6_PKTINFO && len(data) >= 16:
		r.local = netip.AddrFrom16([16]byte(data))
	}
}

// eachMessage walks control messages.
func eachMessage(oob []byte, f func(level, kind int32, data []byte)) {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return
		}
		f(h.Level, h.Type, data)
		oob = rest
	}
}

// probe gives a TCP socket's SYN its TTL, and has ICMP errors about it kept with their offender, until endProbe.
func (s *socket) probe(ttl uint8) {
	_ = s.control(func(fd int) error {
		level, hops, errors := s.probing()
		if ttl > 0 {
			_ = unix.SetsockoptInt(fd, level, hops, int(ttl))
		}
		return unix.SetsockoptInt(fd, level, errors, 1)
	})
}

// endProbe lets a connection that stands have the machine's TTL, and survive errors that may pass, as TCP wants it (RFC 9293
// 3.9.2.2).
func (s *socket) endProbe() {
	_ = s.control(func(fd int) error {
		level, hops, errors := s.probing()
		return first(unix.SetsockoptInt(fd, level, hops, -1), unix.SetsockoptInt(fd, level, errors, 0))
	})
}

// probing names the options of the socket's family for the TTL, and for errors that are kept.
func (s *socket) probing() (level, hops, errors int) {
	if s.v6 {
		return unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, unix.IPV6_RECVERR
	}
	return unix.IPPROTO_IP, unix.IP_TTL, unix.IP_RECVERR
}

// failure returns the ICMP error that has ended an attempt to connect, if one has.
func (s *socket) failure() (f failure, ok bool) {
	var b, oob [oobSize]byte
	_ = s.control(func(fd int) error {
		f, ok = receiveFailure(fd, b[:], oob[:])
		return nil
	})
	return f, ok && f.from.IsValid()
}

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
	originICMP6 = 3
)

// receiveFailure takes one error off the socket's error queue, if there is one (ip(7), IP_RECVERR).
func receiveFailure(fd int, b, oob []byte) (f failure, ok bool) {
	n, oobn, _, to, err := unix.Recvmsg(fd, b, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
	if err != nil {
		return f, false
	}
	f.to, f.quote = addrPort(to), b[:n]
	eachMessage(oob[:oobn], func(level, kind int32, data []byte) {
		switch {
		case len(data) < 4:
		case level == unix.IPPROTO_IP && kind == unix.IP_TTL, level == unix.IPPROTO_IPV6 && kind == unix.IPV6_HOPLIMIT:
			f.ttl = uint8(binary.NativeEndian.Uint32(data))
		case level == unix.IPPROTO_IP && kind == unix.IP_RECVERR, level == unix.IPPROTO_IPV6 && kind == unix.IPV6_RECVERR:
			f.read(data, level == unix.IPPROTO_IPV6)
		}
	})
	if !f.from.IsValid() {
		f.ttl = 0 // there was no message: the kernel tells the TTL of what was to be sent
	}
	return f, true
}

// read takes what a struct sock_extended_err says, with the offender's address behind it.
func (f *failure) read(data []byte, v6 bool) {
	if len(data) < 16 {
		return
	}
	errno, origin := unix.Errno(binary.NativeEndian.Uint32(data)), data[4]
	f.mtu = uint16(min(binary.NativeEndian.Uint32(data[8:]), MaxMTU))
	switch offender := data[16:]; {
	case origin == originICMP:
		f.icmpType, f.code = data[5], data[6]
		if len(offender) >= 8 && binary.NativeEndian.Uint16(offender) == unix.AF_INET {
			f.from = netip.AddrFrom4([4]byte(offender[4:8]))
		}
	case origin == originICMP6:
		f.icmpType, f.code = data[5], data[6]
		if len(offender) >= 24 && binary.NativeEndian.Uint16(offender) == unix.AF_INET6 {
			f.from = netip.AddrFrom16([16]byte(offender[8:24]))
		}
	case origin == originLocal && errno == unix.EMSGSIZE && v6:
		f.icmpType, f.code = frame.ICMPv6TooBig, 0
	case origin == originLocal && errno == unix.EMSGSIZE:
		f.icmpType, f.code = frame.ICMPUnreachable, frame.UnreachableTooBig
	}
}

// The system calls that move a splice's bytes are made without telling Go's scheduler, as those of a TAP are
// (tap/syscall_linux.go): neither waits for anything, and when both ends are on this machine a write goes through the
// receiver's whole TCP, for which the scheduler would take the processor away as if it were waiting. It was worth a third of
// the processor time of a byte's way there and back.

func readNow(fd int, b []byte) (int, error) { return transfer(unix.SYS_READ, fd, b) }

func writeNow(fd int, b []byte) (int, error) { return transfer(unix.SYS_WRITE, fd, b) }

func transfer(call uintptr, fd int, b []byte) (int, error) {
	n, _, err := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	if err != 0 {
		return 0, err
	}
	return int(n), nil
}

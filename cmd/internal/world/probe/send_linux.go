package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// Send puts a question from a namespace and waits for what comes of it, as long as wait at most. id is the identifier of an
// echo request: no two that are under way may have the same. from is the source that the kernel has chosen, with the id in
// place of the port for an echo request; it is not valid if the kernel has chosen none. The error is nil for an answer,
// sim.ErrTimeout for silence, and else what the socket said; one that wraps ErrNotSent is no answer to the question.
func Send(ctx context.Context, ns tap.Namespace, q sim.Question, id uint16, wait time.Duration) (from netip.AddrPort, err error) {
	s, err := open(ns, q)
	if err != nil {
		return from, fmt.Errorf("%w: %w", ErrNotSent, err)
	}
	defer s.file.Close()
	s.until = time.Now().Add(wait)
	_ = s.file.SetDeadline(s.until)
	defer context.AfterFunc(ctx, func() { _ = s.file.SetDeadline(time.Unix(1, 0)) })()
	err = s.connect()
	if from = s.local(); q.Proto == frame.ProtoICMP {
		from = netip.AddrPortFrom(from.Addr(), id)
	}
	switch {
	case err != nil:
	case q.Proto == frame.ProtoICMP:
		err = s.ping(id)
	case q.Proto == frame.ProtoUDP:
		err = s.exchange(q.Datagram(), func([]byte) bool { return true })
	}
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("%w: %w", ErrNotSent, context.Cause(ctx)) // in time for an answer
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		err = sim.ErrTimeout
	}
	return from, err
}

// socket is a socket of a namespace that has something to ask.
type socket struct {
	file  *os.File
	raw   syscall.RawConn
	q     sim.Question
	until time.Time
}

// open makes the socket inside the namespace; where it is used from does not matter to the kernel.
func open(ns tap.Namespace, q sim.Question) (*socket, error) {
	kind, proto := unix.SOCK_RAW, unix.IPPROTO_ICMP // of the other kind, ping_group_range lets nobody have one at first
	switch q.Proto {
	case frame.ProtoTCP:
		kind, proto = unix.SOCK_STREAM, unix.IPPROTO_TCP
	case frame.ProtoUDP:
		kind, proto = unix.SOCK_DGRAM, unix.IPPROTO_UDP
	}
	fd := -1
	err := tap.Do(ns, func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		return nil, err
	}
	discover := unix.IP_PMTUDISC_DONT
	if q.DontFragment {
		discover = unix.IP_PMTUDISC_DO
	}
	if q.Proto == frame.ProtoICMP {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, discover)
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_RECVERR, 1) // every ICMP error is to be heard
	}
	if err == nil && q.FromPort != 0 {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) // an earlier question's TIME_WAIT does not matter
	}
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if q.FromPort != 0 {
		if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(q.FromPort)}); err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("from port %d: %w", q.FromPort, os.NewSyscallError("bind", err))
		}
	}
	s := &socket{file: os.NewFile(uintptr(fd), "probe"), q: q}
	if s.raw, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, err
	}
	return s, nil
}

// connect connects the socket, which for TCP is the question.
func (s *socket) connect() error {
	to := &unix.SockaddrInet4{Addr: s.q.To.Addr().As4(), Port: int(s.q.To.Port())}
	var err error
	if ctl := s.raw.Control(func(fd uintptr) { err = unix.Connect(int(fd), to) }); ctl != nil {
		return ctl
	}
	if !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	waited := s.raw.Write(func(fd uintptr) bool {
		if code, e := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR); e != nil || code != 0 {
			err = syscall.Errno(code)
			return true
		}
		_, err = unix.Getpeername(int(fd)) // ENOTCONN: it is still on its way
		return err == nil
	})
	if waited != nil {
		return waited
	}
	return s.says(err)
}

// local is the source that the kernel has chosen.
func (s *socket) local() (from netip.AddrPort) {
	_ = s.raw.Control(func(fd uintptr) {
		if a, err := unix.Getsockname(int(fd)); err == nil {
			if in, ok := a.(*unix.SockaddrInet4); ok && in.Addr != [4]byte{} {
				from = netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port))
			}
		}
	})
	return from
}

// ping sends an echo request and waits for its reply; a raw socket hears all others' as well (RFC 792).
func (s *socket) ping(id uint16) error {
	size := s.q.Size
	if size == 0 {
		size = 56
	}
	b := make([]byte, frame.ICMPHeader+size)
	frame.PutEcho(b, frame.ICMPEcho, id, 1)
	return s.exchange(b, func(packet []byte) bool {
		ip, ok := frame.ParseClippedIPv4(packet)
		if !ok {
			return false
		}
		m, ok := frame.ParseICMP(ip.Payload())
		return ok && m.Type() == frame.ICMPEchoReply && m.ID() == id
	})
}

// full is how long somebody waits for room that the kernel does not have at the moment, in its neighbour table say.
const full = 100 * time.Millisecond

// exchange sends bytes and waits for those that are the answer.
func (s *socket) exchange(question []byte, answers func([]byte) bool) error {
	for {
		var err error
		if waited := s.raw.Write(func(fd uintptr) bool {
			_, err = unix.Write(int(fd), question)
			return !errors.Is(err, unix.EAGAIN)
		}); waited != nil {
			return waited
		}
		if errors.Is(err, unix.ENOBUFS) && time.Until(s.until) > full {
			time.Sleep(full)
			continue
		}
		if errors.Is(err, unix.ENOBUFS) {
			return fmt.Errorf("%w: %w", ErrNotSent, err)
		}
		if err != nil {
			return s.says(err)
		}
		break
	}
	buf := make([]byte, 1<<16)
	for {
		var n int
		var err error
		if waited := s.raw.Read(func(fd uintptr) bool {
			n, err = unix.Read(int(fd), buf)
			return !errors.Is(err, unix.EAGAIN)
		}); waited != nil {
			return waited
		}
		if err != nil {
			return s.says(err)
		}
		if answers(buf[:n]) {
			return nil
		}
	}
}

// says adds to an error who has sent the ICMP message that it stands for, where one did (ip(7), IP_RECVERR).
func (s *socket) says(err error) error {
	if err == nil {
		return nil
	}
	var offender netip.Addr
	_ = s.raw.Control(func(fd uintptr) {
		control := make([]byte, 256)
		_, n, _, _, e := unix.Recvmsg(int(fd), nil, control, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if e != nil {
			return
		}
		messages, e := unix.ParseSocketControlMessage(control[:n])
		for _, m := range messages {
			// struct sock_extended_err is 16 bytes, the fifth of which is the origin; a sockaddr_in follows.
			if e == nil && m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR && len(m.Data) >= 24 && m.Data[4] == unix.SO_EE_ORIGIN_ICMP {
				offender = netip.AddrFrom4([4]byte(m.Data[20:24]))
			}
		}
	})
	if offender.IsValid() && !offender.IsUnspecified() {
		return fmt.Errorf("%w, says %v", err, offender)
	}
	return err
}

//go:build unix

package ping

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// socket sends ICMP messages to one address and receives them.
type socket struct {
	fd  int
	raw bool // sees everybody's messages, errors too; else the kernel picks ours, and has chosen the identifier
	to  unix.SockaddrInet4
	buf [1 << 16]byte
	oob [128]byte
}

// OpenHere is the Open of the network that this process is in: it makes a raw socket, or a ping socket where that is not
// allowed.
func OpenHere(_ context.Context, to netip.Addr, ttl int) (Socket, error) {
	if to.Is6() {
		return nil, errors.New("uswitch ping asks for IPv6 from the gateway and from simulated hosts: here, use ping -6")
	}
	if err := reachable(to); err != nil {
		return nil, err
	}
	s := &socket{raw: true, to: unix.SockaddrInet4{Addr: to.As4()}}
	var err error
	if s.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP); err != nil {
		s.raw = false
		s.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)
	}
	if err != nil {
		return nil, fmt.Errorf("neither a raw socket nor a ping socket is allowed (want root, or net.ipv4.ping_group_range): %w", err)
	}
	unix.CloseOnExec(s.fd)
	if err := s.prepare(ttl); err != nil {
		s.Close()
		return nil, fmt.Errorf("socket: %w", err)
	}
	return s, nil
}

// reachable finds out whether there is a way at all, as iputils does.
func reachable(to netip.Addr) error {
	probe, err := net.Dial("udp4", netip.AddrPortFrom(to, 1025).String())
	if err != nil {
		var why syscall.Errno
		if errors.As(err, &why) {
			return fmt.Errorf("connect: %w", why)
		}
		return err
	}
	return probe.Close()
}

func (s *socket) prepare(ttl int) error {
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_RECVTTL, 1); err != nil {
		return err
	}
	if !s.raw { // errors about the echoes come to a connected socket only
		if err := unix.Connect(s.fd, &s.to); err != nil {
			return err
		}
	}
	if ttl > 0 {
		return unix.SetsockoptInt(s.fd, unix.IPPROTO_IP, unix.IP_TTL, ttl)
	}
	return nil
}

// ID implements Socket. A ping socket's is the kernel's choice.
func (s *socket) ID() (id uint16, chosen bool) { return 0, !s.raw }

// Send implements Socket.
func (s *socket) Send(b []byte) (at time.Time, err error) {
	at = time.Now()
	if s.raw {
		return at, unix.Sendto(s.fd, b, 0, &s.to)
	}
	_, err = unix.Write(s.fd, b)
	return at, err
}

// Now implements Socket.
func (*socket) Now() time.Time { return time.Now() }

// hearing is how long the socket may wait before somebody looks whether it still shall.
const hearing = 100 * time.Millisecond

// Receive implements Socket. It returns ErrTimeout sooner than it needs to.
func (s *socket) Receive(wait time.Duration) (Message, error) {
	timeout := unix.NsecToTimeval(min(max(wait, time.Microsecond), hearing).Nanoseconds())
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return Message{}, err
	}
	n, oobn, _, from, err := unix.Recvmsg(s.fd, s.buf[:], s.oob[:], 0)
	if err == unix.EAGAIN || err == unix.EINTR {
		return Message{}, ErrTimeout
	}
	if err != nil {
		return Message{}, err
	}
	m := Message{ICMP: s.buf[:n], TTL: s.ttl(s.oob[:oobn]), At: time.Now()}
	if sa, ok := from.(*unix.SockaddrInet4); ok {
		m.From = netip.AddrFrom4(sa.Addr)
	}
	if n > frame.IPv4Header && s.buf[0]>>4 == 4 { // raw sockets, and some systems' ping sockets, give the IP header too
		ip := frame.IPv4(s.buf[:n])
		m.TTL = int(ip.TTL())
		m.ICMP = s.buf[min(ip.HeaderLen(), n):n]
	}
	return m, nil
}

// ttl reads the time to live that came with a message.
func (s *socket) ttl(oob []byte) int {
	parts, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0
	}
	for _, part := range parts {
		switch {
		case part.Header.Level != unix.IPPROTO_IP:
		case len(part.Data) >= 4: // Linux
			return int(binary.NativeEndian.Uint32(part.Data))
		case len(part.Data) >= 1: // the BSDs
			return int(part.Data[0])
		}
	}
	return 0
}

// Close implements Socket.
func (s *socket) Close() { _ = unix.Close(s.fd) }

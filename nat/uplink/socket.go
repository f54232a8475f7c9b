//go:build !js

package uplink

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// socket is a host socket that the runtime's poller watches. Its methods may be called from many goroutines; Close wakes
// those that wait.
type socket struct {
	file *os.File
	conn syscall.RawConn
	v6   bool        // it is IPv6's
	df   atomic.Bool // as the kernel was told last

	queue atomic.Bool   // datagrams are read from it
	lost  atomic.Uint64 // of its queue, as the kernel said last
}

// wrap takes over a non-blocking descriptor.
func wrap(fd int, v6 bool) (*socket, error) {
	f := os.NewFile(uintptr(fd), "socket")
	conn, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &socket{file: f, conn: conn, v6: v6}, nil
}

// openSocket opens a socket for an IP protocol, bound to a port on all of the host's addresses of a family, and returns it. Port 0
// is any; of TCP, one of choice. alone: a port of TCP that another socket has is not shared. For ICMP it is a ping socket, and
// the identifier is its port.
func openSocket(want outside, choice *ports, alone bool) (*socket, uint16, error) {
	kind, proto, port := unix.SOCK_DGRAM, want.proto, want.port
	if proto == frame.ProtoTCP {
		kind = unix.SOCK_STREAM
	}
	fd, err := newSocket(kind, int(proto), want.v6)
	if err != nil {
		return nil, 0, err
	}
	if err := prepare(fd, proto, want.v6); err != nil {
		unix.Close(fd)
		return nil, 0, err
	}
	if proto == frame.ProtoTCP && port == 0 {
		port, err = choice.bind(fd, want.v6)
	} else if proto == frame.ProtoTCP && alone {
		if err = unix.Bind(fd, anywhere(want.v6, port)); err == nil {
			err = sharePort(fd) // from now on, with further connections of the same inside endpoint
		}
	} else {
		err = bindTo(fd, want)
	}
	if err == nil && port == 0 {
		port, err = boundPort(fd)
	}
	if err != nil {
		unix.Close(fd)
		return nil, 0, err
	}
	s, err := wrap(fd, want.v6)
	return s, port, err
}

// boundPort asks which port the kernel has chosen.
func boundPort(fd int) (uint16, error) {
	own, err := unix.Getsockname(fd)
	return addrPort(own).Port(), err
}

// bindTo binds a socket to a port. Connections of TCP to several places share one (socket(7): SO_REUSEADDR).
func bindTo(fd int, want outside) error {
	if want.proto == frame.ProtoTCP {
		if err := sharePort(fd); err != nil {
			return err
		}
	}
	return unix.Bind(fd, anywhere(want.v6, want.port))
}

// openRawSocket opens the socket that carries every echo of a host that gives ping sockets to nobody but raw ones to us.
func openRawSocket(v6 bool) (*socket, error) {
	proto := frame.ProtoICMP
	if v6 {
		proto = frame.ProtoICMPv6
	}
	fd, err := newSocket(unix.SOCK_RAW, int(proto), v6)
	if err != nil {
		return nil, err
	}
	if v6 { // of IPv4 it reads the header itself
		if err := prepare(fd, proto, v6); err != nil {
			unix.Close(fd)
			return nil, err
		}
	}
	return wrap(fd, v6)
}

// CheckPing reports whether echo requests of the inside can leave: nil, or one line that says what would let them.
func CheckPing() error {
	sock, _, err := openSocket(outside{proto: frame.ProtoICMP}, nil, false)
	if err != nil {
		sock, err = openRawSocket(false)
	}
	if err != nil {
		return fmt.Errorf("uplink: ping will not reach the outside: this user may open neither ping sockets nor raw ones; "+
			"`sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"` allows ping sockets to everyone (%w)", err)
	}
	return sock.Close()
}

// SyscallConn, CloseWrite, SetLinger, SetWriteDeadline and Close make it a stream, as *net.TCPConn is one.
func (s *socket) SyscallConn() (syscall.RawConn, error) { return s.conn, nil }

func (s *socket) CloseWrite() error {
	return s.control(func(fd int) error { return unix.Shutdown(fd, unix.SHUT_WR) })
}

func (s *socket) SetLinger(seconds int) error {
	return s.control(func(fd int) error {
		return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: int32(seconds)})
	})
}

func (s *socket) SetWriteDeadline(t time.Time) error { return s.file.SetWriteDeadline(t) }

// Close gives the descriptor back.
func (s *socket) Close() error {
	if s.queue.Load() {
		s.overflowed() // the last moment at which the kernel can say
	}
	return s.file.Close()
}

// control runs f with the descriptor, unless the socket is closed.
func (s *socket) control(f func(fd int) error) error {
	var err error
	if e := s.conn.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil {
		return e
	}
	return err
}

// ipOptions are fields of an IP header that a datagram takes along.
type ipOptions struct {
	ttl, tos     uint8
	dontFragment bool
	from         netip.Addr // the host's address to send from; invalid: as the host's routing chooses
	pieces       int        // bytes of payload of the datagrams that the kernel is to make of a super-datagram; 0: it is none
}

// sendRetries: an error that an earlier datagram earned is reported once, to the next caller, instead of sending; with
// several waiting, several times.
const sendRetries = 4

// ofEarlier reports whether it can be such an error.
func ofEarlier(err error) bool {
	return errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.EHOSTUNREACH) || errors.Is(err, unix.EINTR)
}

// sendTo sends one datagram without waiting.
func (s *socket) sendTo(b []byte, to netip.AddrPort, o ipOptions) error {
	return s.control(func(fd int) (err error) {
		s.setDontFragment(fd, o.dontFragment)
		for range sendRetries {
			_, err = unix.SendmsgN(fd, b, o.message(s.v6), sockaddr(to), unix.MSG_DONTWAIT)
			if !ofEarlier(err) {
				return err
			}
		}
		return err
	})
}

// setDontFragment tells the kernel about DF if it is not what it was told last.
func (s *socket) setDontFragment(fd int, on bool) {
	if s.df.Load() != on {
		setDontFragment(fd, s.v6, on)
		s.df.Store(on)
	}
}

// connect connects a TCP socket and waits for the answer.
func (s *socket) connect(to netip.AddrPort) error {
	var result error
	begun, sa := false, sockaddr(to)
	err := s.conn.Write(func(fd uintptr) (done bool) {
		if !begun {
			begun = true
			if result = unix.Connect(int(fd), sa); !errors.Is(result, unix.EINPROGRESS) && !errors.Is(result, unix.EINTR) {
				return true
			}
		}
		done, result = connected(int(fd), sa)
		return done
	})
	return cmp.Or(err, result)
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port()), ZoneId: scopeOf(a.Addr())}
}

// anywhere is a port on all of the host's addresses of a family.
func anywhere(v6 bool, port uint16) unix.Sockaddr {
	if v6 {
		return &unix.SockaddrInet6{Port: int(port)}
	}
	return &unix.SockaddrInet4{Port: int(port)}
}

// addrPort returns the zero AddrPort for what is of neither family.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch in := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(scoped(in.Addr, in.ZoneId), uint16(in.Port))
	}
	return netip.AddrPort{}
}

// scoped is an address of IPv6 as a socket has it: a link-local one with the number of its link for a zone.
func scoped(b [16]byte, link uint32) netip.Addr {
	a := netip.AddrFrom16(b)
	if link == 0 || !a.IsLinkLocalUnicast() {
		return a
	}
	return a.WithZone(strconv.FormatUint(uint64(link), 10))
}

// scopeOf is the number of a link-local address's link, 0 of any other.
func scopeOf(a netip.Addr) uint32 {
	n, _ := strconv.ParseUint(a.Zone(), 10, 32) // scoped has written it
	return uint32(n)
}

// fileLimit is how many file descriptors the process may have.
func fileLimit() int {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil || l.Cur > 1<<20 {
		return 1 << 20
	}
	return int(l.Cur)
}

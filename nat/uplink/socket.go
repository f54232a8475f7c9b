package uplink

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
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
	df   atomic.Bool // as the kernel was told last

	queue atomic.Bool   // datagrams are read from it
	lost  atomic.Uint64 // of its queue, as the kernel said last
}

// wrap takes over a non-blocking descriptor.
func wrap(fd int) (*socket, error) {
	f := os.NewFile(uintptr(fd), "socket")
	conn, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &socket{file: f, conn: conn}, nil
}

// openSocket opens a socket for an IP protocol, bound to a port on all of the host's addresses, and returns the port. Port 0
// is any; of TCP, one of choice. alone: a port of TCP that another socket has is not shared. For ICMP it is a ping socket, and
// the identifier is its port.
func openSocket(proto uint8, port uint16, choice *ports, alone bool) (*socket, uint16, error) {
	kind := unix.SOCK_DGRAM
	if proto == frame.ProtoTCP {
		kind = unix.SOCK_STREAM
	}
	fd, err := newSocket(kind, int(proto))
	if err != nil {
		return nil, 0, err
	}
	if err := prepare(fd, proto); err != nil {
		unix.Close(fd)
		return nil, 0, err
	}
	if proto == frame.ProtoTCP && port == 0 {
		port, err = choice.bind(fd)
	} else if proto == frame.ProtoTCP && alone {
		if err = unix.Bind(fd, &unix.SockaddrInet4{Port: int(port)}); err == nil {
			err = sharePort(fd) // from now on, with further connections of the same inside endpoint
		}
	} else {
		err = bindTo(fd, proto, port)
	}
	if err == nil && port == 0 {
		port, err = boundPort(fd)
	}
	if err != nil {
		unix.Close(fd)
		return nil, 0, err
	}
	s, err := wrap(fd)
	return s, port, err
}

// boundPort asks which port the kernel has chosen.
func boundPort(fd int) (uint16, error) {
	own, err := unix.Getsockname(fd)
	return addrPort(own).Port(), err
}

// bindTo binds a socket to a port. Connections of TCP to several places share one (socket(7): SO_REUSEADDR).
func bindTo(fd int, proto uint8, port uint16) error {
	if proto == frame.ProtoTCP {
		if err := sharePort(fd); err != nil {
			return err
		}
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Port: int(port)})
}

// openRawSocket opens the socket that carries every echo of a host that gives ping sockets to nobody but raw ones to us.
func openRawSocket() (*socket, error) {
	fd, err := newSocket(unix.SOCK_RAW, unix.IPPROTO_ICMP)
	if err != nil {
		return nil, err
	}
	return wrap(fd)
}

// CheckPing reports whether echo requests of the inside can leave: nil, or one line that says what would let them.
func CheckPing() error {
	sock, _, err := openSocket(frame.ProtoICMP, 0, nil, false)
	if err != nil {
		sock, err = openRawSocket()
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
			_, err = unix.SendmsgN(fd, b, o.message(), sockaddr(to), unix.MSG_DONTWAIT)
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
		setDontFragment(fd, on)
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
	return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
}

// addrPort returns the zero AddrPort for what is not IPv4.
func addrPort(sa unix.Sockaddr) netip.AddrPort {
	if in, ok := sa.(*unix.SockaddrInet4); ok {
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port))
	}
	return netip.AddrPort{}
}

// fileLimit is how many file descriptors the process may have.
func fileLimit() int {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil || l.Cur > 1<<20 {
		return 1 << 20
	}
	return int(l.Cur)
}

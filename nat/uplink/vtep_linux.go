package uplink

import (
	"bufio"
	"encoding/binary"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// prepareTunnel gives a tunnel's socket what its packets have in common, and room for a burst of them.
func prepareTunnel(fd int, ttl uint8) error {
	setDontFragment(fd, false, true)
	for _, o := range [][2]int{{unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}, {unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[0], tunnelBuffer) != nil { // which is root's to do
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[1], tunnelBuffer) // as much as net.core allows
		}
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, int(ttl))
}

// tunnelSender is one of the sockets that packets leave by. Its calls are made with what lies in a pool, so that nothing is allocated.
type tunnelSender struct {
	socket *socket
	fd     int
	port   uint16
	whole  atomic.Bool // the kernel does not cut what leaves by the interface there (UDP_SEGMENT)

	mu     sync.RWMutex // held while the descriptor is used
	closed bool
}

// adopt takes over an open socket.
func (s *tunnelSender) adopt(sock *socket, port uint16) {
	s.socket, s.port = sock, port
	_ = sock.control(func(fd int) error { s.fd = fd; return nil })
}

// tunnelBurst is what sendmmsg(2) needs to send datagrams that have a type of service, and to have them cut.
type tunnelBurst struct {
	burst
	control [64]byte
}

var tunnelBursts = sync.Pool{New: func() any { return new(tunnelBurst) }}

// send sends datagrams, and returns how many bytes of them have left.
func (s *tunnelSender) send(b []byte, size int, to netip.AddrPort, tos uint8) (sent int, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return 0, os.ErrClosed
	}
	fd := s.fd
	out := tunnelBursts.Get().(*tunnelBurst)
	defer func() {
		clear(out.parts[:min(len(out.parts), (len(b)+size-1)/max(size, 1))])
		tunnelBursts.Put(out)
	}()
	out.address(to)
	if len(b) > size && !s.whole.Load() {
		n, err := out.send(fd, out.fill(b, len(b), out.message(tos, size)))
		switch err {
		case nil:
			return n * len(b), nil
		case unix.EIO, unix.EINVAL, unix.EOPNOTSUPP:
			// A kernel before 4.18, or before 6.11 where the interface leaves checksums to it.
			s.whole.Store(true)
		case unix.EMSGSIZE:
			// One by one: a shorter last one may fit.
		default:
			return 0, err
		}
	}
	message := out.message(tos, 0)
	for sent < len(b) {
		n, err := out.send(fd, out.fill(b[sent:], size, message))
		if err != nil {
			return sent, err
		}
		sent += min(n*size, len(b)-sent)
	}
	return sent, nil
}

// message writes the control messages of a datagram: nothing where nothing is asked for, but never without a place.
func (out *tunnelBurst) message(tos uint8, size int) []byte {
	b := out.control[:0]
	if tos != 0 {
		b = putMessage(b, unix.IPPROTO_IP, unix.IP_TOS, uint32(tos), 4)
	}
	if size > 0 {
		b = putMessage(b, unix.IPPROTO_UDP, unix.UDP_SEGMENT, uint32(size), 2)
	}
	return b
}

// putMessage appends a control message that is a number of 2 or 4 bytes.
func putMessage(b []byte, level, kind int32, value uint32, bytes int) []byte {
	at := len(b)
	b = b[:at+unix.CmsgSpace(bytes)]
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[at]))
	h.Level, h.Type = level, kind
	h.SetLen(unix.CmsgLen(bytes))
	data := b[at+unix.CmsgLen(0):]
	if bytes == 2 {
		binary.NativeEndian.PutUint16(data, uint16(value))
	} else {
		binary.NativeEndian.PutUint32(data, value)
	}
	return b
}

// close waits for calls under way.
func (s *tunnelSender) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.socket.Close()
}

// ChecksumErrors returns how many UDP datagrams the kernel has dropped in this network namespace, since it was made, for a wrong
// checksum: they never reach a socket, which is why a tunnel cannot count its own (InCsumErrors of /proc/net/snmp). ok is false
// where nobody tells.
func ChecksumErrors() (n uint64, ok bool) {
	f, err := os.Open("/proc/thread-self/net/snmp")
	if err != nil {
		return 0, false
	}
	defer f.Close()
	var names []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 0 || fields[0] != "Udp:":
		case names == nil:
			names = fields
		default:
			for i, name := range names {
				if name == "InCsumErrors" && i < len(fields) {
					n, err := strconv.ParseUint(fields[i], 10, 64)
					return n, err == nil
				}
			}
		}
	}
	return 0, false
}

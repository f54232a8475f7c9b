//go:build !linux && !js

package uplink

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// prepareTunnel leaves DF and the size of queues to the system.
func prepareTunnel(fd int, ttl uint8) error {
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, int(ttl))
}

// tunnelSender is one of the sockets that packets leave by.
type tunnelSender struct {
	socket *socket
	port   uint16
}

func (s *tunnelSender) adopt(sock *socket, port uint16) { s.socket, s.port = sock, port }

// send sends datagrams one by one, and returns how many bytes of them have left.
func (s *tunnelSender) send(b []byte, size int, to netip.AddrPort, _ uint8) (sent int, err error) {
	for sent < len(b) {
		n := min(size, len(b)-sent)
		if err := s.socket.sendTo(b[sent:sent+n], to, ipOptions{dontFragment: true}); err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

func (s *tunnelSender) close() error { return s.socket.Close() }

// ChecksumErrors knows nothing: elsewhere nobody tells.
func ChecksumErrors() (uint64, bool) { return 0, false }

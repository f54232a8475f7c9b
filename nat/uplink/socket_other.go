//go:build !linux && !js

package uplink

import (
	"cmp"
	"errors"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// Elsewhere than on Linux, TCP, UDP and ping work; TTL and type of service are the kernel's, and ICMP errors are not
// passed on, since only Linux tells a socket about them.

func newSocket(kind, proto int, v6 bool) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	domain := unix.AF_INET
	if v6 {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, kind, proto)
	if err != nil {
		return -1, err
	}
	unix.CloseOnExec(fd)
	if v6 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1) // IPv4 has sockets of its own
	}
	return fd, unix.SetNonblock(fd, true)
}

func prepare(int, uint8, bool) error { return nil }

func sharePort(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) // what BSD needs to share a port
}

// ports leaves the choice to the kernel.
type ports struct{}

func newPorts() *ports { return nil }

// ephemeral returns IANA's range (RFC 6335 6).
func ephemeral() (first, last uint32) { return 49152, 65535 }

func (*ports) bind(fd int, v6 bool) (port uint16, err error) {
	return 0, bindTo(fd, outside{proto: frame.ProtoTCP, v6: v6})
}

func prepareListener(int, bool) error { return nil }

// queued knows nothing, so that everything goes by way of a buffer.
func queued(int) (int, error) { return 0, nil }

// queueDrops knows nothing: elsewhere nobody tells.
func queueDrops(int) uint64 { return 0 }

const kernelCuts = false

func setDontFragment(int, bool, bool) {}

func (o ipOptions) message(bool) []byte { return nil }

// sendPieces sends the datagrams of a super-datagram, up to the first that the kernel refuses.
func (s *socket) sendPieces(payload []byte, pieces int, to netip.AddrPort, o ipOptions) error {
	for len(payload) > 0 {
		n := min(pieces, len(payload))
		if err := s.sendTo(payload[:n], to, o); err != nil && !(errors.Is(err, unix.EMSGSIZE) && o.dontFragment) {
			return err
		}
		payload = payload[n:]
	}
	return nil
}

type received struct {
	n        int
	from     netip.AddrPort
	ttl, tos uint8
	local    netip.Addr
	pieces   int
}

// batch is one datagram: only Linux reads several at once.
type batch struct {
	buffers [batchSize]packetBuffer
	one     received
}

const batchSize = 1

func newBatch() *batch { return &batch{buffers: [batchSize]packetBuffer{buffers.Get().(packetBuffer)}} }

func (in *batch) release() { buffers.Put(in.buffers[0]) }

func (in *batch) receive(fd, at, _ int) (int, error) {
	n, from, err := unix.Recvfrom(fd, in.buffers[0][at:], unix.MSG_DONTWAIT)
	if err != nil {
		return 0, err
	}
	in.one = received{n: n, from: addrPort(from), ttl: 64}
	return 1, nil
}

func (in *batch) received(int) received { return in.one }

type failure struct {
	to             netip.AddrPort
	from           netip.Addr
	icmpType, code uint8
	mtu            uint16
	ttl            uint8
	quote          []byte
}

func receiveFailure(int, []byte, []byte) (failure, bool) { return failure{}, false }

// connected asks what became of an attempt to connect.
func connected(fd int, _ unix.Sockaddr) (done bool, err error) {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || errno != 0 {
		return true, cmp.Or(err, error(unix.Errno(errno)))
	}
	_, err = unix.Getpeername(fd) // the poller may wake for nothing
	return err == nil, nil
}

// probe and endProbe are Linux's: elsewhere a SYN has the machine's TTL, and nobody tells who has sent an ICMP error.
func (s *socket) probe(uint8) {}
func (s *socket) endProbe()   {}

func (s *socket) failure() (failure, bool) { return failure{}, false }

func readNow(fd int, b []byte) (int, error)  { return unix.Read(fd, b) }
func writeNow(fd int, b []byte) (int, error) { return unix.Write(fd, b) }

// portOwner: only Linux has a table of sockets that an unprivileged process can read.
func portOwner(uint8, uint16) string { return "" }

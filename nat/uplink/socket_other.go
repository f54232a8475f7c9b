//go:build !linux

package uplink

import (
	"cmp"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
)

// Elsewhere than on Linux, TCP, UDP and ping work; TTL and type of service are the kernel's, and ICMP errors are not
// passed on, since only Linux tells a socket about them.

func newSocket(kind, proto int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(unix.AF_INET, kind, proto)
	if err != nil {
		return -1, err
	}
	unix.CloseOnExec(fd)
	return fd, unix.SetNonblock(fd, true)
}

func prepare(int, uint8) error { return nil }

func sharePort(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) // what BSD needs to share a port
}

// ports leaves the choice to the kernel.
type ports struct{}

func newPorts() *ports { return nil }

func (*ports) bind(fd int) (port uint16, err error) { return 0, bindTo(fd, frame.ProtoTCP, 0) }

func prepareListener(int) error { return nil }

// queued knows nothing, so that everything goes by way of a buffer.
func queued(int) (int, error) { return 0, nil }

const kernelCuts = false

func setDontFragment(int, bool) {}

func (o ipOptions) message() []byte { return nil }

type received struct {
	n        int
	from     netip.AddrPort
	ttl, tos uint8
	local    netip.Addr
	pieces   int
}

func receiveFrom(fd int, b, _ []byte) (received, error) {
	n, from, err := unix.Recvfrom(fd, b, unix.MSG_DONTWAIT)
	if err != nil {
		return received{}, err
	}
	return received{n: n, from: addrPort(from), ttl: 64}, nil
}

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

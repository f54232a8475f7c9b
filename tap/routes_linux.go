package tap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Routes asks the routing tables of the namespace that it was opened in. It opens no file to do so: its one socket is there
// from the beginning, so that it goes on when the process has no descriptor left. Its methods may be called from many
// goroutines.
type Routes struct {
	mu     sync.Mutex // guards all below; held for a question and its answer, which the kernel gives before send returns
	socket int        // -1 when it is closed
	seq    uint32
	buffer [4096]byte // of a question, and then of its answer, which is one route
}

// OpenRoutes returns the Routes of the calling thread's namespace.
func OpenRoutes() (*Routes, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	r := &Routes{socket: fd}
	if err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err == nil {
		_, err = r.Owns(netip.AddrFrom4([4]byte{127, 0, 0, 1})) // some sandboxes have the socket, and no answers
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Close ends it. Every question fails from then on.
func (r *Routes) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.socket < 0 {
		return nil
	}
	err := unix.Close(r.socket)
	r.socket = -1
	return err
}

// Owns reports whether the kernel would keep a packet to an address for itself: its own addresses, its loopback, and
// every local route, whether or not some interface has the address (AnyIP). It is the kernel's own decision at this moment,
// policy rules included. An error says that there was none.
func (r *Routes) Owns(a netip.Addr) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.socket < 0 {
		return false, os.ErrClosed
	}
	r.seq++
	if _, err := unix.Write(r.socket, r.question(a.Unmap())); err != nil {
		return false, os.NewSyscallError("write", err)
	}
	for {
		n, err := unix.Read(r.socket, r.buffer[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false, os.NewSyscallError("read", err)
		}
		if owns, mine, err := r.answer(r.buffer[:n]); mine {
			return owns, err
		} // else it belongs to a question whose answer was not waited for
	}
}

// question writes RTM_GETROUTE for one address (rtnetlink(7)) into the buffer.
func (r *Routes) question(a netip.Addr) []byte {
	const attributeAt = unix.SizeofNlMsghdr + unix.SizeofRtMsg
	family, size := byte(unix.AF_INET6), 16
	if a.Is4() {
		family, size = unix.AF_INET, 4
	}
	q, native := r.buffer[:attributeAt+unix.SizeofRtAttr+size], binary.NativeEndian
	clear(q)
	native.PutUint32(q[0:], uint32(len(q)))
	native.PutUint16(q[4:], unix.RTM_GETROUTE)
	native.PutUint16(q[6:], unix.NLM_F_REQUEST)
	native.PutUint32(q[8:], r.seq)
	q[unix.SizeofNlMsghdr], q[unix.SizeofNlMsghdr+1] = family, byte(8*size) // and how many bits of the destination are given
	attribute := q[attributeAt:]
	native.PutUint16(attribute[0:], uint16(len(attribute)))
	native.PutUint16(attribute[2:], unix.RTA_DST)
	if a.Is4() {
		four := a.As4()
		copy(attribute[unix.SizeofRtAttr:], four[:])
	} else {
		sixteen := a.As16()
		copy(attribute[unix.SizeofRtAttr:], sixteen[:])
	}
	return q
}

// answer reads a message; mine is false for one about another question. No route at all is an answer: there the kernel would
// not keep the packet either.
func (r *Routes) answer(b []byte) (owns, mine bool, err error) {
	native := binary.NativeEndian
	if len(b) < unix.SizeofNlMsghdr || native.Uint32(b[8:]) != r.seq {
		return false, false, nil
	}
	body := b[unix.SizeofNlMsghdr:]
	switch kind := native.Uint16(b[4:]); {
	case kind == unix.RTM_NEWROUTE && len(body) >= unix.SizeofRtMsg:
		return body[7] == unix.RTN_LOCAL, true, nil
	case kind == unix.NLMSG_ERROR && len(body) >= 4:
		switch errno := unix.Errno(-int32(native.Uint32(body))); errno {
		case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES, unix.EINVAL: // none, or unreachable, prohibit, blackhole
			return false, true, nil
		default:
			return false, true, os.NewSyscallError("route", errno)
		}
	}
	return false, true, fmt.Errorf("route: an answer of %d bytes that says nothing", len(b))
}

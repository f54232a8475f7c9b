package tap

import (
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxFrame is more than a TAP can hand out: 64 KiB of IP packet, an Ethernet header, VLAN tags, and the header of
// package virtio in front. So no frame is cut.
const maxFrame = 64<<10 + 64

type buffer [maxFrame]byte

// buffers are shared by all cards: a card has one while its reader works on a frame, and none while it waits for the next.
// So thousands of idle cards cost no more than the busy ones.
type buffers struct{ pool sync.Pool }

func (s *buffers) borrow() *buffer {
	if b, ok := s.pool.Get().(*buffer); ok {
		return b
	}
	return new(buffer)
}

func (s *buffers) giveBack(b *buffer) { s.pool.Put(b) }

// reader reads frames from a descriptor. One goroutine uses it.
type reader struct {
	raw    syscall.RawConn
	shared *buffers
	try    func(fd uintptr) (done bool) // the method, as a value that is made once

	buf    *buffer // borrowed; nil while there is nothing to read
	n      int     // bytes of the frame in it
	waited bool    // before there was something to read
	err    syscall.Errno
}

func (r *reader) init(raw syscall.RawConn, shared *buffers) {
	r.raw, r.shared = raw, shared
	r.try = r.attempt
}

// next waits for a frame and returns its bytes, which stay until the next call.
func (r *reader) next() ([]byte, error) {
	r.waited = false
	err := r.raw.Read(r.try)
	if err == nil && r.err != 0 {
		err = r.err
	}
	if err != nil {
		r.release()
		return nil, err
	}
	return r.buf[:r.n], nil
}

// attempt is called by Go's poller, at first and whenever there may be something to read, until it returns true. A buffer
// that is still here from the frame before is used again: a card that is busy never goes to the pool.
func (r *reader) attempt(fd uintptr) (done bool) {
	if r.buf == nil {
		r.buf = r.shared.borrow()
	}
	for {
		r.n, r.err = readFrame(fd, r.buf)
		switch r.err {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			r.release()
			r.waited = true
			return false
		}
		return true
	}
}

func (r *reader) release() {
	if r.buf != nil {
		r.shared.giveBack(r.buf)
		r.buf = nil
	}
}

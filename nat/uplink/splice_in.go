package uplink

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// inward copies from the outside to the inside.
func (s *splice) inward() {
	for {
		n, err := s.moveIn()
		switch {
		case err != nil:
			s.reset()
			return
		case n == 0:
			if s.ep.Shutdown(tcpip.ShutdownWrite) != nil {
				s.reset()
				return
			}
			s.end()
			s.watchOutside()
			return
		}
	}
}

// moveIn copies what the kernel has, up to a buffer. n is 0 at the end.
func (s *splice) moveIn() (n int, err error) {
	var b *[copySize]byte
	e := s.raw.Read(func(fd uintptr) bool {
		b = copyBuffers.Get().(*[copySize]byte)
		for {
			n, err = unix.Read(int(fd), b[:])
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
		if errors.Is(err, unix.EAGAIN) {
			copyBuffers.Put(b) // an idle connection holds none
			b = nil
			return false
		}
		return true
	})
	if b == nil {
		return 0, e
	}
	defer copyBuffers.Put(b)
	if err == nil && n > 0 && !s.writeIn(b[:n]) {
		err = errReset
	}
	return n, err
}

var errReset = errors.New("the inside has reset the connection")

// writeIn writes all of b to the inside, waiting as long as it takes.
func (s *splice) writeIn(b []byte) bool {
	r := bytes.NewReader(b)
	var entry waiter.Entry
	var writable chan struct{}
	for r.Len() > 0 {
		_, err := s.ep.Write(r, tcpip.WriteOptions{})
		switch err.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			if writable == nil {
				// It may have become writable just before: the first wait comes after another attempt.
				entry, writable = waiter.NewChannelEntry(waiter.WritableEvents | ending)
				s.queue.EventRegister(&entry)
				defer s.queue.EventUnregister(&entry)
			} else if !s.wait(writable) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// watchOutside waits for the end of a connection whose outside has closed its direction: it may still reset, which the
// poller reports as an error of the socket.
func (s *splice) watchOutside() {
	broken := false
	_ = s.raw.Read(func(fd uintptr) bool { // it ends when the socket is closed
		errno, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		broken = err != nil || errno != 0
		return broken
	})
	if broken {
		s.reset()
	}
}

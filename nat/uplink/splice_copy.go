package uplink

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// ending is what netstack notifies about when a connection breaks.
const ending = waiter.EventHUp | waiter.EventErr

// outward copies from the inside to the outside.
func (s *splice) outward() {
	entry, readable := waiter.NewChannelEntry(waiter.ReadableEvents | ending)
	s.queue.EventRegister(&entry)
	defer s.queue.EventUnregister(&entry)
	for {
		n, err := s.moveOut()
		switch err.(type) {
		case nil:
			if n < 0 {
				s.reset()
				return
			}
			continue
		case *tcpip.ErrWouldBlock:
			if !s.wait(readable) {
				return
			}
			continue
		case *tcpip.ErrClosedForReceive:
			_ = s.conn.CloseWrite() // it fails if the outside has reset, which inward sees too
			s.end()
			s.watchInside(readable)
			return
		}
		s.reset()
		return
	}
}

// moveOut copies what netstack has, up to a buffer. n is negative if the outside does not take it any more.
func (s *splice) moveOut() (n int, err tcpip.Error) {
	b := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(b)
	w := tcpip.SliceWriter(b[:])
	r, err := s.ep.Read(&w, tcpip.ReadOptions{})
	if err != nil {
		return 0, err
	}
	if !s.writeOut(b[:r.Count]) {
		return -1, nil
	}
	s.ep.ModerateRecvBuf(r.Count)
	return r.Count, nil
}

// writeOut writes all of b to the outside, waiting as long as it takes.
func (s *splice) writeOut(b []byte) bool {
	ok := false
	err := s.raw.Write(func(fd uintptr) bool {
		for len(b) > 0 {
			n, err := unix.Write(int(fd), b)
			switch {
			case err == nil:
				b = b[n:]
			case errors.Is(err, unix.EINTR):
			default:
				return !errors.Is(err, unix.EAGAIN)
			}
		}
		ok = true
		return true
	})
	return err == nil && ok
}

// wait waits for a notification of netstack, and returns false if the connection is over.
func (s *splice) wait(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-s.done:
		return false
	}
}

// watchInside waits for the end of a connection whose inside has closed its direction: it may still reset.
func (s *splice) watchInside(events <-chan struct{}) {
	for s.wait(events) {
		if tcp.EndpointState(s.ep.State()) == tcp.StateError {
			s.reset()
			return
		}
	}
}

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

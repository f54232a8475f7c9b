package uplink

import (
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

package uplink

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// ending is what netstack notifies about when a connection breaks.
const ending = waiter.EventHUp | waiter.EventErr

// outward copies from the inside to the outside what does not go ahead.
func (s *splice) outward() {
	entry := waiter.NewFunctionEntry(waiter.ReadableEvents|ending, s.out.notify)
	s.queue.EventRegister(&entry)
	defer s.queue.EventUnregister(&entry)
	defer s.out.giveBack()
	move := s.out.move
	for {
		if s.raw.Write(move) != nil || s.out.broken {
			s.reset()
			return
		}
		switch s.out.end.(type) {
		case *tcpip.ErrWouldBlock:
			if !s.wait(s.out.wake) {
				return
			}
			continue
		case *tcpip.ErrClosedForReceive:
			_ = s.conn.CloseWrite() // it fails if the outside has reset, which inward sees too
			s.end()
			s.watchInside()
			return
		}
		s.reset()
		return
	}
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
func (s *splice) watchInside() {
	for s.wait(s.out.wake) {
		if tcp.EndpointState(s.ep.State()) == tcp.StateError {
			s.reset()
			return
		}
	}
}

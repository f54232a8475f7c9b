package uplink

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// stream is the outside half of a connection: *socket and *net.TCPConn.
type stream interface {
	SyscallConn() (syscall.RawConn, error)
	CloseWrite() error
	SetLinger(seconds int) error
	SetWriteDeadline(time.Time) error
	Close() error
}

// splice joins an inside connection, which netstack terminates, with an outside one, which the kernel does. Each
// direction has a goroutine that copies and waits for whoever is slower, so that back-pressure goes all the way. The end
// of one direction is passed on as a FIN and the other goes on; a RST of either side is passed on and ends both. Nothing
// times out: idle connections stay.
type splice struct {
	host  *Host
	who   [4]byte // whose connection it is, for the limits
	ep    tcpip.Endpoint
	queue *waiter.Queue
	conn  stream
	raw   syscall.RawConn

	ended atomic.Int32 // directions that came to their end in order
	once  sync.Once
	done  chan struct{} // closed when both sides are
}

// copySize is how much is copied at a time, in bytes: what netstack sends as one super-frame, without a rest that would be
// a small one. A buffer is held only while there is something to copy.
const copySize = 44 * 1448

var copyBuffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// deepen makes the calling goroutine's stack as large as netstack's and the gateway's calls need it, while there is hardly
// anything on it. Otherwise it would grow in several steps, each a copy of all that is on it, for every connection anew.
//
//go:noinline
func deepen(i int) byte {
	var room [8 << 10]byte
	return room[i%len(room)]
}

// splice runs s until it is over. d is the dial that it came from, nil for a published port.
func (h *Host) splice(s *splice, d *dial) {
	s.done = make(chan struct{})
	h.mu.Lock()
	closed := h.closed || d != nil && d.refs == 0
	if !closed {
		h.open[s] = struct{}{}
		if d != nil {
			d.splice = s
		}
	}
	h.mu.Unlock()
	var err error
	if s.raw, err = s.conn.SyscallConn(); err != nil || closed {
		s.reset()
	} else {
		var inward sync.WaitGroup
		inward.Go(s.inward)
		s.outward()
		inward.Wait()
	}
	h.mu.Lock()
	delete(h.open, s)
	if d != nil && d.splice == s {
		d.splice = nil
	}
	h.mu.Unlock()
	h.disconnect(s.who, s.conn)
}

// reset ends both sides with a RST.
func (s *splice) reset() {
	s.once.Do(func() {
		_ = s.conn.SetLinger(0)
		_ = s.conn.Close()
		s.ep.Abort()
		s.ep.Close()
		close(s.done)
	})
}

// Close makes a splice a closer.
func (s *splice) Close() error {
	s.reset()
	return nil
}

// end marks one direction as ended in order. With the second one, both sides are closed; netstack and the kernel deliver
// what they still have.
func (s *splice) end() {
	if s.ended.Add(1) == 2 {
		s.once.Do(func() {
			_ = s.conn.Close()
			s.ep.Close()
			close(s.done)
		})
	}
}

// flushTime is how long after the gateway has forgotten a connection that the inside closed the outside may take to read
// the rest of it.
const flushTime = 2 * time.Minute

// release is what becomes of the connection when the gateway forgets it. If the inside has closed in order, what it sent
// is still on its way to a slow reader.
func (s *splice) release() {
	switch tcp.EndpointState(s.ep.State()) {
	case tcp.StateCloseWait, tcp.StateLastAck, tcp.StateClosing, tcp.StateTimeWait, tcp.StateClose:
		_ = s.conn.SetWriteDeadline(time.Now().Add(flushTime))
	default:
		s.reset()
	}
}

//go:build !js

package uplink

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"uswitch/switch/frame"
)

// stream is the outside half of a connection: *socket and *net.TCPConn.
type stream interface {
	SyscallConn() (syscall.RawConn, error)
	CloseWrite() error
	SetLinger(seconds int) error
	SetWriteDeadline(time.Time) error
	Close() error
}

// splice joins an inside connection, which netstack terminates, with an outside one, which the kernel does. Each direction has a
// goroutine that copies and waits for whoever is slower, so that back-pressure goes all the way: inward for as long as the
// connection lasts, outward while there is something that is not cut through. The end of one direction is passed on as a FIN and
// the other goes on; a RST of either side is passed on and ends both. Nothing times out: idle connections stay.
type splice struct {
	host  *Host
	who   sender // whose connection it is, for the limits
	tuple frame.Tuple
	ep    tcpip.Endpoint
	queue waiter.Queue // of ep
	conn  stream
	raw   syscall.RawConn
	out   transmitRelay

	outward sync.WaitGroup // the goroutine that copies outward, if there is one
	counted uint32         // among the host's streams; inward's

	ended atomic.Int32 // directions that came to their end in order
	once  sync.Once
	done  chan struct{} // closed when both sides are
}

// copySize is how much is copied at a time, in bytes: what netstack sends as one super-frame, without a rest that would be
// a small one. A buffer is held only while there is something to copy.
const copySize = 44 * 1448

var copyBuffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// newSplice makes the splice of a socket and a connection to come: one between addresses as netstack has them, local being
// that of the outside. Then comes run, if the inside has answered, and in any case forget.
func (h *Host) newSplice(who sender, conn stream, local, remote netip.AddrPort) *splice {
	s := &splice{host: h, who: who, conn: conn, done: make(chan struct{}), tuple: frame.Tuple{Proto: frame.ProtoTCP,
		SrcIP: frame.AddrOf(remote.Addr()), SrcPort: remote.Port(), DstIP: frame.AddrOf(local.Addr()), DstPort: local.Port()}}
	if raw, err := conn.SyscallConn(); err == nil {
		s.raw = raw
		s.out.init(raw)
		h.flows.add(s.tuple, &s.out)
	}
	return s
}

// forget gives back what a splice has, in the end or before it was run. It is called once.
func (s *splice) forget() {
	s.host.flows.remove(s.tuple, &s.out)
	s.host.disconnect(s.who, s.conn)
}

// run runs a splice, whose ep is established, until it is over. d is the dial that it came from, nil for a published port.
func (s *splice) run(d *dial) {
	h := s.host
	h.mu.Lock()
	closed := h.closed || d != nil && d.refs == 0
	if !closed {
		h.open[s] = struct{}{}
		if d != nil {
			d.splice = s
		}
	}
	h.mu.Unlock()
	if s.raw == nil || closed {
		s.reset()
	} else {
		s.out.ep = s.ep
		s.out.allow()
		entry := waiter.NewFunctionEntry(waiter.ReadableEvents|ending, s.notify)
		s.queue.EventRegister(&entry)
		if s.ep.Readiness(waiter.ReadableEvents|ending) != 0 { // of which nobody was notified
			s.copyOutward()
		}
		s.contained(s.inward)
		<-s.done
		s.queue.EventUnregister(&entry) // from here on no goroutine is begun
		s.outward.Wait()
	}
	h.mu.Lock()
	delete(h.open, s)
	if d != nil && d.splice == s {
		d.splice = nil
	}
	h.mu.Unlock()
}

// contained copies in one direction. A fault in it ends the connection.
func (s *splice) contained(copy func()) {
	if !s.host.contained(copy) {
		s.reset()
	}
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

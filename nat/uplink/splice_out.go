package uplink

import (
	"errors"
	"io"

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
	out := outflow{ep: s.ep}
	defer out.giveBack()
	move := out.move
	for {
		if s.raw.Write(move) != nil || out.broken {
			s.reset()
			return
		}
		switch out.end.(type) {
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

// outflow is how bytes leave: netstack writes them, and they go from its memory into the socket at once, unless they are
// few. Those are put together first, for a system call costs more than their copy.
type outflow struct {
	ep   tcpip.Endpoint
	fd   int
	held *[copySize]byte // bytes that wait behind each other: held[from:to]; nil while there are none
	from int
	to   int

	end    tcpip.Error // why netstack has nothing more
	full   bool        // the outside takes nothing for now
	broken bool        // the outside takes nothing any more
}

// fewBytes is up to how many bytes are worth a copy.
const fewBytes = 8 << 10

// move moves all that netstack has. It returns false when the outside must be waited for.
func (o *outflow) move(fd uintptr) (done bool) {
	o.fd, o.full, o.end = int(fd), false, nil
	for o.end == nil {
		r, err := o.ep.Read(o, tcpip.ReadOptions{})
		if r.Count > 0 {
			o.ep.ModerateRecvBuf(r.Count)
		}
		if !o.full && !o.broken { // else err is that Write took nothing
			_ = o.flush()
			o.end = err
		}
		if o.full || o.broken {
			break
		}
	}
	return !o.full
}

// Write implements io.Writer for netstack, which keeps what is not taken.
func (o *outflow) Write(b []byte) (int, error) {
	if len(b) <= fewBytes {
		if o.held == nil {
			o.held = copyBuffers.Get().(*[copySize]byte)
		}
		n := copy(o.held[o.to:], b)
		o.to += n
		if n == len(b) {
			return n, nil
		}
		b = b[n:]
		if err := o.flush(); err != nil {
			return n, err
		}
		m, err := o.Write(b)
		return n + m, err
	}
	if err := o.flush(); err != nil {
		return 0, err
	}
	return o.write(b)
}

// flush writes what waits.
func (o *outflow) flush() error {
	n, err := o.write(o.waiting())
	o.from += n
	if err == nil {
		o.giveBack()
	}
	return err
}

func (o *outflow) waiting() []byte {
	if o.held == nil {
		return nil
	}
	return o.held[o.from:o.to]
}

// giveBack gives back the buffer, with what is in it.
func (o *outflow) giveBack() {
	if o.held != nil {
		copyBuffers.Put(o.held)
	}
	o.held, o.from, o.to = nil, 0, 0
}

// write writes as much as the socket takes. Less than all is an error.
func (o *outflow) write(b []byte) (n int, err error) {
	for n < len(b) {
		m, err := unix.Write(o.fd, b[n:])
		switch {
		case err == nil:
			n += m
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			o.full = true
			return n, io.ErrShortWrite
		default:
			o.broken = true
			return n, err
		}
	}
	return n, nil
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

package uplink

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// ending is what netstack notifies about when a connection breaks.
const ending = waiter.EventHUp | waiter.EventErr

// outward copies from the inside to the outside what is not cut through.
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

// transmitRelay is the bytes of a splice on their way out. There are two ways, and the short one is the usual one:
//
//	a segment -+- it is next, and the socket takes it ------------------> socket     cut-through, see cutthrough.go
//	           |                                                            ^
//	           +- netstack's buffer -- Read, in the goroutine of outward ---+        out of order, or the socket is full
//
// Netstack does the sequence accounting of the connection either way: acknowledgements, windows, the end. Of bytes that were
// cut through it has the number only, in the shape of as many zeros, and they are skipped when it hands them out. Nothing has
// to be agreed upon for that: the offset of a byte in the stream says whether it has left already.
//
// Offsets count the bytes of the stream from 0, the first one behind the SYN.
type transmitRelay struct {
	ep   tcpip.Endpoint // set before open
	raw  syscall.RawConn
	wake chan struct{} // tells outward of bytes to read, or of the end

	sentOffset     atomic.Uint64 // the offset up to which the socket has taken everything
	readOffset     atomic.Uint64 // the offset up to which netstack has handed out everything; outward moves it
	bufferedOffset atomic.Uint64 // the offset up to which netstack may hold bytes that nobody else has; a FIN counts as one

	insideNext atomic.Uint64 // the sequence number behind what netstack has sent to the inside, with nextKnown; 0: nothing

	open   atomic.Bool  // the connection is established, and bytes may be cut through
	unread atomic.Int32 // how often notify has woken nobody since move

	mu        sync.Mutex // held to write to the socket; guards what follows
	begun     bool       // first is known
	first     uint32     // the sequence number of offset 0
	last      uint64     // the offset of the first FIN
	next      []byte     // what writeNext is to write
	writeFunc func(fd uintptr)

	// What follows belongs to outward.
	fd     int
	held   *[copySize]byte // bytes that wait behind each other: held[from:to]; nil while there are none
	from   int
	to     int
	end    tcpip.Error // why netstack has nothing more
	full   bool        // the outside takes nothing for now
	broken bool        // the outside takes nothing any more
}

func (o *transmitRelay) init(raw syscall.RawConn) {
	o.raw, o.wake, o.writeFunc, o.last = raw, make(chan struct{}, 1), o.writeNext, math.MaxUint64
	o.bufferedOffset.Store(math.MaxUint64) // until begin: whatever comes, nobody else has it
}

// maxUnreadBytes and maxUnreadSegments are how many bytes that were cut through, in how many segments, may stay unread in
// netstack, where they take room in the window that the inside is offered. For fewer nobody is woken, so that it must be less
// than that window, which is half of the buffer.
const (
	maxUnreadBytes    = receiveBuffer / 8
	maxUnreadSegments = 32
)

// notify is what netstack calls, with the endpoint locked, when there is something to read and at the end.
func (o *transmitRelay) notify(events waiter.EventMask) {
	read := o.readOffset.Load()
	if events&ending == 0 && o.bufferedOffset.Load() <= read && o.sentOffset.Load() < read+maxUnreadBytes && o.unread.Add(1) < maxUnreadSegments {
		return
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// move moves all that netstack has. It returns false when the outside must be waited for.
func (o *transmitRelay) move(fd uintptr) (done bool) {
	o.fd, o.full, o.end = int(fd), false, nil
	o.unread.Store(0)
	for o.end == nil {
		r, err := o.ep.Read(o, tcpip.ReadOptions{})
		if r.Count > 0 {
			o.ep.ModerateRecvBuf(r.Count)
		}
		if !o.full && !o.broken { // else err is that Write took nothing
			_ = o.flushHeld()
			o.end = err
		}
		if o.full || o.broken {
			break
		}
	}
	return !o.full
}

// Write implements io.Writer for netstack, which keeps what is not taken.
func (o *transmitRelay) Write(b []byte) (int, error) {
	skipped := o.skip(len(b))
	if skipped == len(b) {
		return skipped, nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	skipped += o.skip(len(b) - skipped) // meanwhile more may have sent
	n, err := o.put(b[skipped:])
	o.readOffset.Add(uint64(n))
	return skipped + n, err
}

// skip passes over bytes that were cut through, up to n, and returns how many there were.
func (o *transmitRelay) skip(n int) int {
	read, sent := o.readOffset.Load(), o.sentOffset.Load()
	if sent <= read {
		return 0
	}
	n = int(min(uint64(n), sent-read))
	o.readOffset.Add(uint64(n))
	return n
}

// fewBytes is up to how many bytes are worth a copy: they are put together first, for a system call costs more.
const fewBytes = 8 << 10

// put takes the bytes that come next. Called with mu held, as what follows.
func (o *transmitRelay) put(b []byte) (int, error) {
	if len(b) > fewBytes {
		if err := o.flush(); err != nil {
			return 0, err
		}
		return o.write(b)
	}
	if o.held == nil {
		o.held = copyBuffers.Get().(*[copySize]byte)
	}
	n := copy(o.held[o.to:], b)
	o.to += n
	if n == len(b) {
		return n, nil
	}
	if err := o.flush(); err != nil {
		return n, err
	}
	m, err := o.put(b[n:])
	return n + m, err
}

// flushHeld writes what waits.
func (o *transmitRelay) flushHeld() error {
	if o.held == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.flush()
}

func (o *transmitRelay) flush() error {
	if o.held == nil {
		return nil
	}
	n, err := o.write(o.held[o.from:o.to])
	o.from += n
	if err == nil {
		o.giveBack()
	}
	return err
}

// giveBack gives back the buffer, with what is in it.
func (o *transmitRelay) giveBack() {
	if o.held != nil {
		copyBuffers.Put(o.held)
	}
	o.held, o.from, o.to = nil, 0, 0
}

// write writes as much as the socket takes. Less than all is an error.
func (o *transmitRelay) write(b []byte) (n int, err error) {
	n, err = writeAll(o.fd, b)
	o.sentOffset.Add(uint64(n))
	switch {
	case errors.Is(err, unix.EAGAIN):
		o.full = true
	case err != nil:
		o.broken = true
	}
	return n, err
}

// writeAll writes what a socket takes without waiting; if that is less than all, the error says why.
func writeAll(fd int, b []byte) (n int, err error) {
	for n < len(b) {
		m, err := writeNow(fd, b[n:])
		if err != nil && !errors.Is(err, unix.EINTR) {
			return n, err
		}
		n += max(m, 0)
	}
	return n, nil
}

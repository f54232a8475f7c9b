//go:build !js

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

// Whether there is a goroutine that copies outward (transmitRelay.copier), and what it is to do.
const (
	noCopier     = iota
	copying      // everything that it was notified of
	copyingAgain // and once more, for it was notified meanwhile
)

// copyOutward sees to it that what netstack has is copied, after this call, by a goroutine that exists for as long as there is
// something. It does not wait.
func (s *splice) copyOutward() {
	for {
		switch state := s.out.copier.Load(); {
		case state == copyingAgain:
			return
		case state == copying && s.out.copier.CompareAndSwap(copying, copyingAgain):
			return
		case state == noCopier && s.out.copier.CompareAndSwap(noCopier, copying):
			s.outward.Add(1)
			copies := func() {
				defer s.outward.Done()
				s.contained(s.copyOut)
			}
			if h := s.host; !h.workers.take(copies) {
				h.running.Go(func() { h.workOn(copies) }) // run is waited for by Close as well
			}
			return
		}
	}
}

// copyOut copies from the inside to the outside what is not cut through, until there is no more for now.
func (s *splice) copyOut() {
	for s.moveOut() {
		if s.out.copier.CompareAndSwap(copying, noCopier) {
			return
		}
		s.out.copier.Store(copying)
	}
	s.out.giveBack()
}

// moveOut moves what there is, and the end behind it. It returns false when the connection is over, or somebody has faulted; then no
// other goroutine follows.
func (s *splice) moveOut() bool {
	if s.out.closed { // it may still reset
		if tcp.EndpointState(s.ep.State()) == tcp.StateError {
			s.reset()
			return false
		}
		return true
	}
	if s.raw.Write(s.out.moveFunc) != nil || s.out.broken {
		s.reset()
		return false
	}
	switch s.out.end.(type) {
	case *tcpip.ErrWouldBlock:
		return true
	case *tcpip.ErrClosedForReceive:
		s.out.closed = true
		_ = s.conn.CloseWrite() // it fails if the outside has reset, which inward sees too
		s.end()
		return true
	}
	s.reset()
	return false
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

// transmitRelay is the bytes of a splice on their way out. There are two ways, and the short one is the usual one:
//
//	a segment -+- it is next, and the socket takes it ------------------> socket     cut-through, see cutthrough.go
//	           |                                                            ^
//	           +- netstack's buffer -- Read, in the goroutine of copyOut ---+        out of order, or the socket is full
//
// Netstack does the sequence accounting of the connection either way: acknowledgements, windows, the end. Of bytes that were
// cut through it has the number only, in the shape of as many zeros, and they are skipped when it hands them out. Nothing has
// to be agreed upon for that: the offset of a byte in the stream says whether it has left already.
//
// Offsets count the bytes of the stream from 0, the first one behind the SYN.
type transmitRelay struct {
	ep     tcpip.Endpoint // set before open
	raw    syscall.RawConn
	copier atomic.Int32 // noCopier, or what it does

	sentOffset     atomic.Uint64 // the offset up to which the socket has taken everything
	readOffset     atomic.Uint64 // the offset up to which netstack has handed out everything; copyOut moves it
	bufferedOffset atomic.Uint64 // the offset up to which netstack may hold bytes that nobody else has; a FIN counts as one

	insideNext atomic.Uint64 // the sequence number behind what netstack has sent to the inside, with nextKnown; 0: nothing

	open   atomic.Bool  // the connection is established, and bytes may be cut through
	unread atomic.Int32 // how often matters has said no since move

	mu        sync.Mutex // held to write to the socket; guards what follows
	begun     bool       // first is known
	first     uint32     // the sequence number of offset 0
	last      uint64     // the offset of the first FIN
	next      []byte     // what writeNext is to write
	writeFunc func(fd uintptr)

	// What follows belongs to copyOut.
	moveFunc func(fd uintptr) (done bool)
	closed   bool // the end was passed on
	fd       int
	held     *[copySize]byte // bytes that wait behind each other: held[from:to]; nil while there are none
	from     int
	to       int
	end      tcpip.Error // why netstack has nothing more
	full     bool        // the outside takes nothing for now
	broken   bool        // the outside takes nothing any more
}

func (o *transmitRelay) init(raw syscall.RawConn) {
	o.raw, o.writeFunc, o.moveFunc, o.last = raw, o.writeNext, o.move, math.MaxUint64
	o.bufferedOffset.Store(math.MaxUint64) // until begin: whatever comes, nobody else has it
}

// maxUnreadBytes and maxUnreadSegments are how many bytes that were cut through, in how many segments, may stay unread in
// netstack, where they take room in the window that the inside is offered. For fewer nothing is copied, so that it must be less
// than that window, which is half of the buffer.
const (
	maxUnreadBytes    = receiveBuffer / 8
	maxUnreadSegments = 32
)

// notify is what netstack calls, with the endpoint locked, when there is something to read and at the end.
func (s *splice) notify(events waiter.EventMask) {
	if s.out.matters(events) {
		s.copyOutward()
	}
}

// matters reports whether something is to be copied that netstack notifies about.
func (o *transmitRelay) matters(events waiter.EventMask) bool {
	read := o.readOffset.Load()
	return events&ending != 0 || o.bufferedOffset.Load() > read || o.sentOffset.Load() >= read+maxUnreadBytes || o.unread.Add(1) >= maxUnreadSegments
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

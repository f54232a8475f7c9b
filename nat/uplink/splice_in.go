//go:build !js

package uplink

import (
	"bytes"
	"errors"
	"io"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// inward copies from the outside to the inside.
func (s *splice) inward() {
	entry, writable := waiter.NewChannelEntry(waiter.WritableEvents | ending)
	s.queue.EventRegister(&entry)
	defer s.queue.EventUnregister(&entry)
	for {
		n, err := s.moveIn(writable)
		for err == nil && n >= bulkThreshold {
			s.host.streams.Carried(&s.counted)
			n, err = s.bulkRelay(writable)
		}
		switch {
		case errors.Is(err, io.EOF):
			if s.ep.Shutdown(tcpip.ShutdownWrite) != nil {
				s.reset()
				return
			}
			s.end()
			s.watchOutside()
			return
		case err != nil:
			s.reset()
			return
		}
	}
}

var errReset = errors.New("the inside has reset the connection")

// moveIn waits for bytes of the outside and copies what there is, up to a buffer. At the end the error is io.EOF.
func (s *splice) moveIn(writable <-chan struct{}) (n int, err error) {
	var b *[copySize]byte
	e := s.raw.Read(func(fd uintptr) bool {
		b = copyBuffers.Get().(*[copySize]byte)
		if n, err = read(int(fd), b[:]); errors.Is(err, unix.EAGAIN) {
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
	if err != nil {
		return 0, err
	}
	r := bytes.NewReader(b[:n])
	for r.Len() > 0 {
		if _, e := s.ep.Write(r, tcpip.WriteOptions{}); e != nil && !s.waitFor(e, writable) {
			return 0, errReset
		}
	}
	return n, nil
}

// waitFor waits if e says that the inside is slower. It returns false if the connection is over.
func (s *splice) waitFor(e tcpip.Error, writable <-chan struct{}) bool {
	_, full := e.(*tcpip.ErrWouldBlock)
	return full && s.wait(writable)
}

// read is one read system call. At the end the error is io.EOF.
func read(fd int, b []byte) (int, error) {
	for {
		switch n, err := readNow(fd, b); {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
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

// bulkThreshold is from how many bytes on it is worth asking the kernel how many more there are, to have them read into
// netstack's own memory. A small answer is inside sooner without.
const bulkThreshold = copySize / 2

// bulkMax is how much is moved in bulk at a time, in bytes: several super-frames. Each frame that reaches an interface whose reader
// sleeps wakes the reader, and each read lets the sender know of room; both cost more than the frame itself. Of frames that
// follow each other at once only the first one does.
const bulkMax = 4 * copySize

// bulkRelay moves what the kernel has, up to bulkMax, without a buffer between. It waits only for the inside: if the kernel
// does not have much, n is less than bulkThreshold.
func (s *splice) bulkRelay(writable <-chan struct{}) (n int, err error) {
	var e tcpip.Error
	if closed := s.raw.Read(func(fd uintptr) bool {
		if n, err = queued(int(fd)); err == nil && n >= bulkThreshold {
			_, e = s.ep.Write(&receiveRelay{int(fd), min(n, bulkMax)}, tcpip.WriteOptions{})
		}
		return true
	}); closed != nil {
		return 0, closed
	}
	if e != nil && !s.waitFor(e, writable) {
		return 0, errReset
	}
	return n, err
}

// receiveRelay is bytes that a socket holds. They are read when netstack takes them, which is a tcpip.Payloader's way.
type receiveRelay struct {
	fd   int
	left int // bytes
}

// Len implements tcpip.Payloader.
func (i *receiveRelay) Len() int { return i.left }

// Read implements tcpip.Payloader.
func (i *receiveRelay) Read(b []byte) (int, error) {
	if i.left == 0 {
		return 0, io.EOF
	}
	b = b[:min(len(b), i.left)]
	if len(b) == 0 {
		return 0, nil
	}
	n, err := read(i.fd, b)
	i.left -= n
	return n, err
}

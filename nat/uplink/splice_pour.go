package uplink

import (
	"io"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// muchBytes is from how many bytes on it is worth asking the kernel how many more there are, to have them read into
// netstack's own memory. A small answer is inside sooner without.
const muchBytes = copySize / 2

// muchAtOnce is how much is poured at a time, in bytes: several super-frames. Each frame that reaches a card whose reader
// sleeps wakes the reader, and each read lets the sender know of room; both cost more than the frame itself. Of frames that
// follow each other at once only the first one does.
const muchAtOnce = 4 * copySize

// pourIn moves what the kernel has, up to muchAtOnce, without a buffer between. It waits only for the inside: if the kernel
// does not have much, n is less than muchBytes.
func (s *splice) pourIn(writable <-chan struct{}) (n int, err error) {
	var e tcpip.Error
	if closed := s.raw.Read(func(fd uintptr) bool {
		if n, err = queued(int(fd)); err == nil && n >= muchBytes {
			_, e = s.ep.Write(&inflow{int(fd), min(n, muchAtOnce)}, tcpip.WriteOptions{})
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

// inflow is bytes that a socket holds. They are read when netstack takes them, which is a tcpip.Payloader's way.
type inflow struct {
	fd   int
	left int // bytes
}

// Len implements tcpip.Payloader.
func (i *inflow) Len() int { return i.left }

// Read implements tcpip.Payloader.
func (i *inflow) Read(b []byte) (int, error) {
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

package server

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
)

// spares is how many descriptors a lab's socket has in reserve: so many can ask at a time when there are no others left.
const spares = 8

// sparing is a listener that can accept although the process has no file descriptor left: it has some that it gives up for that,
// and takes back when whoever asked has gone. So a lab that has run out of them can still be looked at, and taken down.
type sparing struct {
	net.Listener

	mu       sync.Mutex // guards what follows
	reserved []*os.File
	closed   bool
}

func newSparing(l net.Listener) *sparing {
	s := &sparing{Listener: l}
	s.fill()
	return s
}

// fill takes as many descriptors as are missing and can be had.
func (s *sparing) fill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && len(s.reserved) < spares {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		s.reserved = append(s.reserved, f)
	}
}

// spare gives one up, if there is one.
func (s *sparing) spare() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.reserved) - 1
	if last < 0 {
		return false
	}
	_ = s.reserved[last].Close()
	s.reserved = s.reserved[:last]
	return true
}

// Accept implements net.Listener.
func (s *sparing) Accept() (net.Conn, error) {
	for {
		c, err := s.Listener.Accept()
		if err == nil {
			return &refilling{Conn: c, from: s}, nil
		}
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) || !s.spare() {
			return nil, err
		}
	}
}

// Close implements net.Listener.
func (s *sparing) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for s.spare() {
	}
	return s.Listener.Close()
}

// refilling is a connection whose descriptor goes back to the reserve.
type refilling struct {
	net.Conn
	from *sparing
}

// Close implements net.Conn.
func (c *refilling) Close() error {
	err := c.Conn.Close()
	c.from.fill()
	return err
}

// CloseWrite and SyscallConn are those of a *net.UnixConn: for streams whose one direction ends before the other, and for whoever
// wants to know more of the other side.

func (c *refilling) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn implements syscall.Conn.
func (c *refilling) SyscallConn() (syscall.RawConn, error) {
	if raw, ok := c.Conn.(syscall.Conn); ok {
		return raw.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

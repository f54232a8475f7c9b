package simhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"uswitch/sim"
)

// conn is a TCP connection of a simulated host as programs know it. It implements net.Conn, and CloseWrite besides.
type conn struct {
	space         *space
	stream        *sim.Stream // belongs to the hosts' goroutine
	local, remote net.Addr

	mu      sync.Mutex // guards what follows; never held while the hosts' goroutine is waited for
	changed sync.Cond
	in      []byte
	err     error // after in: io.EOF, or why the connection is gone
	gone    bool  // err is for writers too
	queued  int   // bytes that were written and not acknowledged
	closed  bool
	read    deadline
	write   deadline
}

// Bounds of what waits in a connection, in bytes.
const (
	maxUnread = 4 << 20 // beyond, the connection is reset: the simulated TCP does not close its window
	maxQueued = 256 << 10
)

func newConn(s *space) *conn {
	c := &conn{space: s}
	c.changed.L = &c.mu
	return c
}

// events are what the stream tells, on the hosts' goroutine.
func (c *conn) events(opened func(), failed func(error)) sim.StreamEvents {
	return sim.StreamEvents{
		Opened: opened,
		Data: func(b []byte) {
			c.update(func() { c.in = append(c.in, b...) })
			if c.unread() > maxUnread {
				c.space.owner.time.After(0, c.stream.Abort)
				c.update(func() { c.err, c.gone = syscall.ECONNRESET, true })
			}
		},
		Sent: func() {
			queued := c.stream.Queued()
			c.update(func() { c.queued = queued })
		},
		Ended: func(err error) {
			c.update(func() {
				c.err = io.EOF
				if err != nil {
					c.err, c.gone = asErrno(err), true
				}
			})
			if err != nil {
				failed(asErrno(err))
			}
		},
	}
}

// update changes what programs see, and wakes those that wait for it.
func (c *conn) update(f func()) {
	c.mu.Lock()
	f()
	c.mu.Unlock()
	c.changed.Broadcast()
}

func (c *conn) unread() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.in)
}

// attach remembers the addresses of both ends, on the hosts' goroutine.
func (c *conn) attach(s *sim.Stream) {
	c.stream = s
	c.local, c.remote = net.TCPAddrFromAddrPort(s.Local()), net.TCPAddrFromAddrPort(s.Remote())
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, net.ErrClosed
		case c.read.expired():
			return 0, os.ErrDeadlineExceeded
		case len(c.in) > 0:
			n := copy(b, c.in)
			c.in = c.in[n:]
			return n, nil
		case c.err != nil:
			return 0, c.err
		case len(b) == 0:
			return 0, nil
		}
		c.changed.Wait()
	}
}

// Write implements net.Conn. It waits while too much is under way.
func (c *conn) Write(b []byte) (n int, err error) {
	for n < len(b) {
		if err := c.writable(); err != nil {
			return n, err
		}
		piece := b[n:min(len(b), n+maxQueued)]
		err := c.space.owner.do(func() {
			c.stream.Write(piece)
			queued := c.stream.Queued()
			c.update(func() { c.queued = queued })
		})
		if err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, nil
}

func (c *conn) writable() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return net.ErrClosed
		case c.gone:
			return c.err
		case c.write.expired():
			return os.ErrDeadlineExceeded
		case c.queued < maxQueued:
			return nil
		}
		c.changed.Wait()
	}
}

// CloseWrite says that nothing more will be written.
func (c *conn) CloseWrite() error { return c.space.owner.do(c.stream.CloseWrite) }

// Close implements net.Conn.
func (c *conn) Close() error {
	c.mu.Lock()
	again := c.closed
	c.closed = true
	c.mu.Unlock()
	c.changed.Broadcast()
	if again {
		return nil
	}
	return c.space.owner.do(c.stream.Close)
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.update(func() { c.read.set(t, c.changed.Broadcast) })
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.update(func() { c.write.set(t, c.changed.Broadcast) })
	return nil
}

// deadline is the moment after which nobody waits any more; the zero time is never.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(t time.Time, passed func()) {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.at = t
	if !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), passed)
	}
}

func (d *deadline) expired() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// asErrno turns what a simulated machine says into what programs know.
func asErrno(err error) error {
	for from, to := range map[error]error{sim.ErrRefused: syscall.ECONNREFUSED, sim.ErrReset: syscall.ECONNRESET,
		sim.ErrTimeout: syscall.ETIMEDOUT, sim.ErrNoRoute: syscall.ENETUNREACH} {
		if errors.Is(err, from) {
			return to
		}
	}
	return err
}

// dial opens a TCP connection from the host.
func (s *space) dial(ctx context.Context, to netip.AddrPort) (*conn, error) {
	c := newConn(s)
	opened := make(chan error, 2) // nobody there may wait
	var failed error
	err := s.owner.do(func() {
		var stream *sim.Stream
		stream, failed = s.machine.Dial(to, c.events(func() { opened <- nil }, func(err error) { opened <- err }))
		if failed == nil {
			c.attach(stream)
		}
	})
	if err == nil {
		err = asErrno(failed)
	}
	if err != nil {
		return nil, err
	}
	select {
	case err = <-opened:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-s.owner.ended:
		err = s.owner.over()
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to %v: %w", to, err)
	}
	return c, nil
}

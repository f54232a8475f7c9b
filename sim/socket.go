package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"
)

// Sockets are a machine's, as programs know them, for tasks of the Loop on which the machine is.
type Sockets struct {
	Loop    *Loop
	Machine *Machine
}

// Conn is a TCP connection of a machine. It implements net.Conn, and CloseWrite besides, for tasks. It ends with the context with
// which it was made.
type Conn struct {
	ctx           context.Context
	loop          *Loop
	stream        *Stream
	local, remote net.Addr
	release       func() // of what the connection takes elsewhere; nil: nothing

	in     []byte
	err    error // after in: io.EOF, or why the connection is gone
	gone   bool  // err is for writers too
	closed bool
	read   deadline
	write  deadline
}

// Bounds of what waits in a connection, in bytes.
const (
	maxUnread = 4 << 20 // beyond, the connection is reset: the simulated TCP does not close its window
	maxQueued = 256 << 10
)

// Dial opens a TCP connection.
func (s Sockets) Dial(ctx context.Context, to netip.AddrPort) (*Conn, error) {
	c := &Conn{ctx: ctx, loop: s.Loop}
	answered, failed := false, error(nil)
	stream, err := s.Machine.Dial(to, c.events(func() { answered = true }, func(err error) { answered, failed = true, err }))
	if err != nil {
		return nil, Errno(err)
	}
	c.attach(stream)
	if err = s.Loop.WaitOr(ctx, func() bool { return answered }); err == nil {
		err = failed
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("connect to %v: %w", to, err)
	}
	return c, nil
}

// EndWith has the connection end with another context than the one it was made with.
func (c *Conn) EndWith(ctx context.Context) { c.ctx = ctx }

// events are what the stream tells.
func (c *Conn) events(opened func(), failed func(error)) StreamEvents {
	return StreamEvents{
		Opened: opened,
		Data: func(b []byte) {
			if c.in = append(c.in, b...); len(c.in) > maxUnread {
				c.loop.After(0, c.stream.Abort)
				c.err, c.gone = syscall.ECONNRESET, true
			}
		},
		Sent: func() {},
		Ended: func(err error) {
			if c.err = io.EOF; err != nil {
				c.err, c.gone = Errno(err), true
				failed(c.err)
			}
		},
	}
}

// attach remembers the addresses of both ends.
func (c *Conn) attach(s *Stream) {
	c.stream = s
	c.local, c.remote = net.TCPAddrFromAddrPort(s.Local()), net.TCPAddrFromAddrPort(s.Remote())
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	err := c.loop.WaitOr(c.ctx, func() bool { return c.closed || c.read.passed || len(c.in) > 0 || c.err != nil })
	switch {
	case err != nil:
		return 0, err
	case c.closed:
		return 0, net.ErrClosed
	case c.read.passed:
		return 0, os.ErrDeadlineExceeded
	case len(c.in) > 0:
		n := copy(b, c.in)
		c.in = c.in[n:]
		return n, nil
	}
	return 0, c.err
}

// Write implements net.Conn. It waits while too much is under way.
func (c *Conn) Write(b []byte) (n int, err error) {
	for n < len(b) {
		err := c.loop.WaitOr(c.ctx, func() bool { return c.closed || c.gone || c.write.passed || c.stream.Queued() < maxQueued })
		switch {
		case err != nil:
			return n, err
		case c.closed:
			return n, net.ErrClosed
		case c.gone:
			return n, c.err
		case c.write.passed:
			return n, os.ErrDeadlineExceeded
		}
		piece := b[n:min(len(b), n+maxQueued)]
		c.stream.Write(piece)
		n += len(piece)
	}
	return n, nil
}

// CloseWrite says that nothing more will be written.
func (c *Conn) CloseWrite() error {
	c.stream.CloseWrite()
	return nil
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	if !c.closed {
		c.closed = true
		c.stream.Close()
		if c.release != nil {
			c.release()
		}
	}
	return nil
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn. Times are the Loop's.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { c.read.set(c.loop, t); return nil }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { c.write.set(c.loop, t); return nil }

// deadline is the moment after which nobody waits any more; the zero time is never.
type deadline struct {
	passed bool
	timer  *Timer
}

// set may be called from any goroutine.
func (d *deadline) set(l *Loop, t time.Time) {
	l.After(0, func() {
		d.timer.Stop()
		d.passed = false
		if !t.IsZero() {
			d.timer = l.After(t.Sub(l.Now()), func() { d.passed = true })
		}
	})
}

// Errno returns an error of a Machine as programs know it.
func Errno(err error) error {
	for _, known := range []struct{ from, to error }{{ErrRefused, syscall.ECONNREFUSED}, {ErrReset, syscall.ECONNRESET},
		{ErrTimeout, syscall.ETIMEDOUT}, {ErrNoRoute, syscall.ENETUNREACH}} {
		if errors.Is(err, known.from) {
			return known.to
		}
	}
	return err
}

// backlog is how many connections wait to be accepted (SOMAXCONN is 4096; nobody here is so popular).
const backlog = 128

// Listener implements net.Listener on a machine, for tasks. It ends with the context with which it was made.
type Listener struct {
	ctx    context.Context
	loop   *Loop
	addr   net.Addr
	conns  []*Conn
	stop   func()
	closed bool
}

// Listen takes TCP connections on a port, at all addresses of the machine.
func (s Sockets) Listen(ctx context.Context, port uint16) (*Listener, error) {
	l := &Listener{ctx: ctx, loop: s.Loop, addr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.IPv4Unspecified(), port))}
	var err error
	l.stop, err = s.Machine.Listen(port, l.accept)
	return l, err
}

// accept takes a connection. One that finds no room is reset.
func (l *Listener) accept(stream *Stream) StreamEvents {
	c := &Conn{ctx: l.ctx, loop: l.loop}
	c.attach(stream)
	return c.events(func() {
		if len(l.conns) == backlog || l.closed {
			l.loop.After(0, stream.Abort)
			return
		}
		l.conns = append(l.conns, c)
	}, func(error) {})
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	err := l.loop.WaitOr(l.ctx, func() bool { return l.closed || len(l.conns) > 0 })
	switch {
	case err != nil:
		return nil, err
	case l.closed:
		return nil, net.ErrClosed
	}
	c := l.conns[0]
	l.conns = slices.Delete(l.conns, 0, 1)
	return c, nil
}

// Close implements net.Listener.
func (l *Listener) Close() error {
	if !l.closed {
		l.closed = true
		l.stop()
	}
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.addr }

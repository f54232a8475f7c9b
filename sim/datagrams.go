package sim

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"uswitch/switch/frame"
)

// Datagrams is a UDP socket that talks to one other. It implements net.Conn and net.PacketConn, for tasks, and ends with the
// context with which it was made.
type Datagrams struct {
	ctx           context.Context
	loop          *Loop
	machine       *Machine
	local, remote netip.AddrPort
	release       func() // of what the socket takes elsewhere; nil: nothing
	in            [][]byte
	err           error // the last that was heard
	closed        bool
	read          deadline
}

// maxDatagrams bounds what waits to be read; what is more is lost.
const maxDatagrams = 64

// DialUDP makes a socket that hears nobody but to.
func (s Sockets) DialUDP(ctx context.Context, to netip.AddrPort) (*Datagrams, error) {
	m := s.Machine
	w, to, err := m.toward(frame.ProtoUDP, to)
	if err != nil {
		return nil, Errno(err)
	}
	port := m.ephemeral(func(p uint16) bool { return m.sockets[p] != nil })
	d := &Datagrams{ctx: ctx, loop: s.Loop, machine: m, local: netip.AddrPortFrom(w.src, port), remote: to}
	m.sockets[port] = &socket{
		receive: func(from netip.AddrPort, _ netip.Addr, data []byte) {
			if from == to && len(d.in) < maxDatagrams {
				d.in = append(d.in, slices.Clone(data))
			}
		},
		failed: func(e fault) { d.err = Errno(e.asError(to.Addr())) },
	}
	return d, nil
}

// Read implements net.Conn.
func (d *Datagrams) Read(b []byte) (int, error) {
	err := d.loop.WaitOr(d.ctx, func() bool { return d.closed || d.read.passed || len(d.in) > 0 || d.err != nil })
	switch {
	case err != nil:
		return 0, err
	case d.closed:
		return 0, net.ErrClosed
	case d.read.passed:
		return 0, os.ErrDeadlineExceeded
	case len(d.in) > 0:
		n := copy(b, d.in[0])
		d.in = d.in[1:]
		return n, nil
	}
	err, d.err = d.err, nil
	return 0, err
}

// ReadFrom implements net.PacketConn.
func (d *Datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := d.Read(b)
	return n, d.RemoteAddr(), err
}

// Write implements net.Conn.
func (d *Datagrams) Write(b []byte) (int, error) {
	if d.closed {
		return 0, net.ErrClosed
	}
	if err := d.machine.sendUDP(d.local, d.remote, b, 0); err != nil {
		return 0, Errno(err)
	}
	return len(b), nil
}

// WriteTo implements net.PacketConn; the socket knows where to.
func (d *Datagrams) WriteTo(b []byte, _ net.Addr) (int, error) { return d.Write(b) }

// Close implements net.Conn.
func (d *Datagrams) Close() error {
	if !d.closed {
		d.closed = true
		delete(d.machine.sockets, d.local.Port())
		if d.release != nil {
			d.release()
		}
	}
	return nil
}

// LocalAddr implements net.Conn.
func (d *Datagrams) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(d.local) }

// RemoteAddr implements net.Conn.
func (d *Datagrams) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(d.remote) }

// SetDeadline implements net.Conn. Writing never waits.
func (d *Datagrams) SetDeadline(t time.Time) error { return d.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn.
func (d *Datagrams) SetReadDeadline(t time.Time) error { d.read.set(d.loop, t); return nil }

// SetWriteDeadline implements net.Conn.
func (d *Datagrams) SetWriteDeadline(time.Time) error { return nil }

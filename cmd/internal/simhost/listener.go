package simhost

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"uswitch/sim"
)

// backlog is how many connections wait to be accepted (SOMAXCONN is 4096; nobody here is so popular).
const backlog = 128

// listener implements net.Listener on a simulated host.
type listener struct {
	space *space
	addr  net.Addr
	conns chan *conn
	stop  func() // on the hosts' goroutine
	gone  chan struct{}
	once  sync.Once
}

// listen takes TCP connections on a port, at all addresses of the host.
func (s *space) listen(port uint16) (net.Listener, error) {
	l := &listener{space: s, conns: make(chan *conn, backlog), gone: make(chan struct{}),
		addr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.IPv4Unspecified(), port))}
	var failed error
	err := s.owner.do(func() { l.stop, failed = s.machine.Listen(port, l.accept) })
	if err := errors.Join(err, failed); err != nil {
		return nil, err
	}
	return l, nil
}

// accept takes a connection, on the hosts' goroutine. One that finds no room is reset.
func (l *listener) accept(stream *sim.Stream) sim.StreamEvents {
	c := newConn(l.space)
	c.attach(stream)
	return c.events(func() {
		select {
		case l.conns <- c:
		default:
			l.space.owner.time.After(0, stream.Abort)
		}
	}, func(error) {})
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.gone:
		return nil, net.ErrClosed
	case <-l.space.owner.ended:
		return nil, l.space.owner.over()
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.gone)
		_ = l.space.owner.do(l.stop)
	})
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.addr }

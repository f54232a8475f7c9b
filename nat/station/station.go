package station

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"uswitch/nat"
	"uswitch/nat/netstack"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Gateway is what a Station needs of the gateway whose programs it serves; a *nat.Gateway is one.
type Gateway interface {
	Open(proto uint8, port uint16, s nat.Socket) (release func(), err error)
	Originate(f frame.Frame, now time.Time)
	Source(dst netip.Addr) (netip.Addr, bool)
}

// Station opens sockets on a gateway. Its methods may be called from many goroutines.
type Station struct {
	gateway Gateway
	tracer  *trace.Tracer
	stack   *netstack.Stack
	senders senders
}

// mtu is that of the networks that the gateway's own programs mostly speak to, in bytes.
const mtu = 1500

// New returns a Station. Close ends it. The tracer counts faults, and tells of them.
func New(g Gateway, tracer *trace.Tracer) (*Station, error) {
	s := &Station{gateway: g, tracer: tracer}
	var err error
	s.stack, err = netstack.New(netstack.Config{MTU: mtu, Contain: s.contained,
		Transport: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4},
		Send:      func(f frame.Frame) { s.gateway.Originate(f, time.Now()) }})
	if err != nil {
		return nil, fmt.Errorf("station: %w", err)
	}
	return s, nil
}

// Close ends every socket, and returns when no goroutine of netstack's is left.
func (s *Station) Close() { s.stack.Close() }

// contained runs f, with one packet. A fault in it loses that.
func (s *Station) contained(f func()) {
	defer s.tracer.Contain(trace.GatewayFault, "the gateway's own sockets")
	f()
}

// deliverer takes packets that end at the gateway (nat.Socket).
type deliverer struct{ *Station }

// Deliver implements nat.Socket.
func (d deliverer) Deliver(f frame.Frame, _ time.Time) {
	d.senders.note(f)
	d.stack.InputLater(f.Data[frame.EthernetHeader:])
}

// filtered is a deliverer that is closed to some.
type filtered struct {
	deliverer
	accepts func(src, dst netip.Addr) bool
}

// Accepts implements nat.Selective.
func (f filtered) Accepts(src, dst netip.Addr) bool { return f.accepts(src, dst) }

// Listen takes TCP connections to a port of the gateway, at any of its addresses where accepts accepts them; nil accepts
// all, and accepts must not block. To the others the port is closed. Close of the listener gives the port back.
func (s *Station) Listen(port uint16, accepts func(src, dst netip.Addr) bool) (net.Listener, error) {
	var socket nat.Socket = deliverer{s}
	if accepts != nil {
		socket = filtered{deliverer{s}, accepts}
	}
	release, err := s.gateway.Open(frame.ProtoTCP, port, socket)
	if err != nil {
		return nil, err
	}
	l, err := gonet.ListenTCP(s.stack.Stack, tcpip.FullAddress{NIC: netstack.NIC, Port: port}, ipv6.ProtocolNumber) // of both families
	if err != nil {
		release()
		return nil, err
	}
	return &listener{TCPListener: l, senders: &s.senders, release: release}, nil
}

// listener gives its port back when it is closed, once.
type listener struct {
	*gonet.TCPListener
	senders *senders
	release func()
	once    sync.Once
}

// Accept implements net.Listener. The connection's RemoteAddr is an *Addr.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.TCPListener.Accept()
		if err != nil {
			return nil, err
		}
		if addr, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			return accepted{c, &Addr{addr, l.senders.take(addr.AddrPort())}}, nil
		}
		_ = c.Close() // it was reset before anybody came to it, and has no other end any more
	}
}

// Close implements net.Listener; an Accept that waits returns.
func (l *listener) Close() error {
	l.once.Do(func() {
		l.Shutdown()
		_ = l.TCPListener.Close()
		l.release()
	})
	return nil
}

// Dial connects to somebody, from the gateway's address on the way there; network is tcp or udp. The net.Conn of udp is a
// net.PacketConn too.
func (s *Station) Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	protos := map[string]uint8{"tcp": frame.ProtoTCP, "udp": frame.ProtoUDP}
	from, ok := s.gateway.Source(to.Addr())
	switch {
	case protos[network] == 0:
		return nil, fmt.Errorf("network %q: want tcp or udp", network)
	case !to.Addr().Is4():
		return nil, fmt.Errorf("%v: want an IPv4 address", to)
	case !ok:
		return nil, fmt.Errorf("the gateway has no route to %v", to.Addr())
	}
	port, release, err := s.open(protos[network])
	if err != nil {
		return nil, err
	}
	local, remote := netstack.Address(netip.AddrPortFrom(from, port)), netstack.Address(to)
	if network == "udp" {
		return dialUDP(s.stack.Stack, local, remote, release)
	}
	return dialTCP(ctx, s.stack.Stack, local, remote, release)
}

// The ports that connections begin from: net.ipv4.ip_local_port_range.
const (
	firstPort = 32768
	lastPort  = 60999
)

// open takes a free port of the gateway's, at random.
func (s *Station) open(proto uint8) (port uint16, release func(), err error) {
	for range 64 {
		port = uint16(firstPort + rand.IntN(lastPort-firstPort+1))
		if release, err = s.gateway.Open(proto, port, deliverer{s}); err == nil {
			return port, release, nil
		}
	}
	return 0, nil, errors.Join(errors.New("no port is free"), err)
}

// udpConn gives its port back when it is closed.
type udpConn struct {
	*gonet.UDPConn
	release func()
}

// dialUDP makes a connected socket. release is its to call, also after an error.
func dialUDP(s *stack.Stack, local, remote tcpip.FullAddress, release func()) (net.Conn, error) {
	var events waiter.Queue
	end, err := s.NewEndpoint(udp.ProtocolNumber, ipv4.ProtocolNumber, &events)
	if err == nil {
		if err = end.Bind(local); err == nil {
			err = end.Connect(remote)
		}
		if err != nil {
			end.Close()
		}
	}
	if err != nil {
		release()
		return nil, errors.New(err.String())
	}
	// Whoever waits in Read waits for data only, and would not hear of an ICMP error.
	wake := waiter.NewFunctionEntry(waiter.EventErr, func(waiter.EventMask) { go events.Notify(waiter.ReadableEvents) })
	events.EventRegister(&wake)
	return &udpConn{gonet.NewUDPConn(&events, end), release}, nil
}

// Close implements net.Conn.
func (c *udpConn) Close() error {
	defer c.release()
	return c.UDPConn.Close()
}

// tcpConn gives its port back some time after it was closed.
type tcpConn struct {
	*gonet.TCPConn
	release func()
}

// linger is how long the port of a connection is kept after Close: what the other side still says is no surprise then, and
// gets no RST.
const linger = 5 * time.Second

// dialTCP makes a connection. release is its to call, also after an error.
func dialTCP(ctx context.Context, s *stack.Stack, local, remote tcpip.FullAddress, release func()) (net.Conn, error) {
	c, err := gonet.DialTCPWithBind(ctx, s, local, remote, ipv4.ProtocolNumber)
	if err != nil {
		release()
		return nil, err
	}
	return &tcpConn{c, release}, nil
}

// Close implements net.Conn.
func (c *tcpConn) Close() error {
	time.AfterFunc(linger, c.release)
	return c.TCPConn.Close()
}

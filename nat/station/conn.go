package station

import (
	"context"
	"errors"
	"net"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

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

package uplink

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"uswitch/nat/netstack"
	"uswitch/switch/frame"
)

// acceptPause is how long a listener waits when there is no file descriptor for its next client.
const acceptPause = 100 * time.Millisecond

func (h *Host) listenTCP(at netip.AddrPort) (*Listener, error) {
	config := net.ListenConfig{KeepAlive: -1} // an idle client is left alone
	l, err := config.Listen(context.Background(), "tcp4", at.String())
	if err != nil {
		return nil, err
	}
	own := l.Addr().(*net.TCPAddr).AddrPort()
	own = netip.AddrPortFrom(own.Addr().Unmap(), own.Port())
	if err = h.track(l); err == nil && !h.start(func() { h.acceptAll(l, own.Port()) }) {
		err = errClosed
	}
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return &Listener{addr: own, stop: func() {
		h.untrack(l)
		_ = l.Close()
	}}, nil
}

// acceptAll serves clients until the listener is closed.
func (h *Host) acceptAll(l net.Listener, port uint16) {
	for {
		c, err := l.Accept()
		if err == nil {
			conn := c.(*net.TCPConn)
			if !h.start(func() { h.contained(func() { h.serve(conn, port) }) }) {
				_ = conn.Close()
			}
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		// No descriptor, most likely. The client waits in the kernel's queue; asking again at once would only burn time.
		select {
		case <-time.After(acceptPause):
			h.relieve()
		case <-h.done:
			return
		}
	}
}

// serve connects a client that the kernel has accepted to whoever serves the port inside. The client learns the truth as
// far as it can still be told: a service that refuses, or cannot be reached, is a RST.
func (h *Host) serve(conn *net.TCPConn, port uint16) {
	deepen(0)
	client := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
	seen, ok := h.seenAs(frame.ProtoTCP, client)
	if !ok || !h.admitClient(sender{client: frame.AddrOf(seen.Addr())}) {
		_ = conn.SetLinger(0)
		_ = conn.Close()
		return
	}
	defer h.leave(frame.ProtoTCP, client)
	own := netip.AddrPortFrom(h.addr, port)
	s := h.newSplice(sender{client: frame.AddrOf(seen.Addr())}, conn, seen, own)
	defer s.forget()
	if s.dialInside(seen, own) {
		s.run(nil)
	}
}

// admitClient counts one more connection of a client from outside.
func (h *Host) admitClient(who sender) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.source(who)
	defer h.drop(s)
	if h.closed || s.conns >= h.limits.Conns || h.sockets >= h.room() {
		return false
	}
	s.conns++
	h.sockets++
	return true
}

// dialInside connects from the client's own address to a port of the uplink, through the gateway and its rules.
func (s *splice) dialInside(from, to netip.AddrPort) bool {
	ep, err := s.host.net.NewEndpoint(tcp.ProtocolNumber, ipv4.ProtocolNumber, &s.queue)
	if err != nil {
		return false
	}
	entry, changed := waiter.NewChannelEntry(waiter.WritableEvents | ending)
	s.queue.EventRegister(&entry)
	defer s.queue.EventUnregister(&entry)
	ep.SocketOptions().SetReuseAddress(true) // one client port may use several published ports
	if err = ep.Bind(netstack.Address(from)); err == nil {
		err = ep.Connect(netstack.Address(to))
	}
	if _, started := err.(*tcpip.ErrConnectStarted); started {
		select {
		case <-changed:
			err = ep.LastError()
		case <-s.host.done:
			err = &tcpip.ErrAborted{}
		}
	}
	if err != nil || !established(ep) {
		ep.Abort()
		ep.Close()
		return false
	}
	s.ep = ep
	return true
}

// established reports whether a connection came about, although it may have ended since. An answer that arrives while
// Connect still runs leaves no error behind.
func established(ep tcpip.Endpoint) bool {
	switch tcp.EndpointState(ep.State()) {
	case tcp.StateEstablished, tcp.StateCloseWait:
		return true
	}
	return false
}

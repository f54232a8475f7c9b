//go:build !js

package uplink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"uswitch/nat/netstack"
	"uswitch/switch/frame"
)

// Listener is a published port: what arrives there enters the gateway as packets from the client's own address to the
// uplink's address and this port. A DNAT rule decides who serves it; without one the gateway itself answers that nothing
// listens.
//
// A client whose address cannot appear on a wire, the host itself by loopback or by the uplink's own address, or a neighbour of
// the host's by its link-local one, enters with HostConfig.Gateway (Gateway6) as its source instead, and a port of its own there so that answers find back.
type Listener struct {
	addr netip.AddrPort
	stop func()
}

// Addr returns where it listens, with the port that the kernel chose if port 0 was asked for. Rules see that port.
func (l *Listener) Addr() netip.AddrPort { return l.addr }

// Close unpublishes the port. TCP connections that exist go on. UDP has no connections: whoever calls Close also calls
// Gateway.DropConns for those with this port as their original destination, or the service's answers to them would be
// translated still.
func (l *Listener) Close() error {
	l.stop()
	return nil
}

// Listen publishes a port of the host, for frame.ProtoTCP or frame.ProtoUDP. It takes exactly that address (0.0.0.0: all of
// IPv4, [::]: all of IPv6); if somebody has it already, the error names them where the system tells. v6 says in which family they enter: IPv6
// clients of a service that has IPv4 alone do so as HostConfig.Gateway, as from Docker's proxy.
func (h *Host) Listen(proto uint8, at netip.AddrPort, v6 bool) (*Listener, error) {
	if !at.Addr().IsValid() || v6 && at.Addr().Is4() || proto != frame.ProtoTCP && proto != frame.ProtoUDP {
		return nil, fmt.Errorf("uplink: publish %v/%s: want an address and tcp or udp", at, frame.ProtoName(proto))
	}
	var l *Listener
	var err error
	if proto == frame.ProtoTCP {
		l, err = h.listenTCP(at, v6)
	} else {
		l, err = h.listenUDP(at, v6)
	}
	if err != nil {
		return nil, explainListen(proto, at, err)
	}
	return l, nil
}

// explainListen says in a person's words why a port cannot be published.
func explainListen(proto uint8, at netip.AddrPort, err error) error {
	name := fmt.Sprintf("%d/%s", at.Port(), frame.ProtoName(proto))
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		if owner := portOwner(proto, at.Port()); owner != "" {
			return fmt.Errorf("port %s is already allocated by %s", name, owner)
		}
		return fmt.Errorf("port %s is already allocated on %v", name, at.Addr())
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("port %s: %v is not an address of this host", name, at.Addr())
	case errors.Is(err, unix.EACCES) && int(at.Port()) < firstUnprivileged():
		return fmt.Errorf("port %s: ports below %d are root's; `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=%d` opens this one",
			name, firstUnprivileged(), at.Port())
	case errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM):
		return fmt.Errorf("port %s: this machine does not let uswitch listen there, though the number is open to everybody: look at its security modules and filters of system calls (%w)", name, err)
	case errors.Is(err, unix.EMFILE):
		return fmt.Errorf("port %s: no file descriptor is left for it: this process may have %d (ulimit -n)", name, fileLimit())
	}
	return fmt.Errorf("port %s: %w", name, err)
}

// firstUnprivileged is the first port that is not root's (ip(7): ip_unprivileged_port_start).
func firstUnprivileged() int {
	first := 1024
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"); err == nil {
		_, _ = fmt.Sscan(string(text), &first) // what cannot be read stays as the kernel has it by default
	}
	return first
}

// errFull is what is said when there is no descriptor for one more published port, but those that are kept for others.
var errFull = os.NewSyscallError("socket", unix.EMFILE)

// track makes Close end c, unless the Host is closed already or may have no more of them.
func (h *Host) track(c closer) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errClosed
	case h.room() == 0:
		return errFull
	}
	h.closers[c] = struct{}{}
	return nil
}

func (h *Host) untrack(c closer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.closers, c)
}

// acceptPause is how long a listener waits when there is no file descriptor for its next client.
const acceptPause = 100 * time.Millisecond

func (h *Host) listenTCP(at netip.AddrPort, v6 bool) (*Listener, error) {
	config := net.ListenConfig{KeepAlive: -1} // an idle client is left alone
	network := "tcp4"
	if at.Addr().Is6() {
		network = "tcp6"
	}
	l, err := config.Listen(context.Background(), network, at.String())
	if err != nil {
		return nil, err
	}
	own := l.Addr().(*net.TCPAddr).AddrPort()
	own = netip.AddrPortFrom(own.Addr().Unmap(), own.Port())
	if err = h.track(l); err == nil && !h.start(func() { h.acceptAll(l, own.Port(), v6) }) {
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
func (h *Host) acceptAll(l net.Listener, port uint16, v6 bool) {
	for {
		c, err := l.Accept()
		if err == nil {
			conn := c.(*net.TCPConn)
			if !h.work(func() { h.contained(func() { h.serve(conn, port, v6) }) }) {
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
			h.evictOne()
		case <-h.done:
			return
		}
	}
}

// serve connects a client that the kernel has accepted to whoever serves the port inside. The client learns the truth as
// far as it can still be told: a service that refuses, or cannot be reached, is a RST.
func (h *Host) serve(conn *net.TCPConn, port uint16, v6 bool) {
	client := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
	seen, ok := h.aliasOf(frame.ProtoTCP, client, v6)
	if !ok || !h.admitClient(sender{client: frame.AddrOf(seen.Addr())}) {
		_ = conn.SetLinger(0)
		_ = conn.Close()
		return
	}
	defer h.leave(frame.ProtoTCP, client, v6)
	own := netip.AddrPortFrom(h.self(v6), port)
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
	network := ipv4.ProtocolNumber
	if from.Addr().Is6() {
		network = ipv6.ProtocolNumber
	}
	ep, err := s.host.net.NewEndpoint(tcp.ProtocolNumber, network, &s.queue)
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

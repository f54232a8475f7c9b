//go:build !js

package uplink

import (
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// udpListener is a published UDP port. It remembers its clients: which of the host's addresses they wrote to, from where
// answers must come, and under which name the inside knows those that are the host's own.
type udpListener struct {
	host *Host
	sock *socket
	port outside
	sent quotes

	mu         sync.Mutex                 // guards all below; never held with Host.mu
	young, old map[netip.AddrPort]*client // by the name that the inside knows
}

func (h *Host) listenUDP(at netip.AddrPort, v6 bool) (*Listener, error) {
	sock, own, err := openUDPListener(at)
	if err != nil {
		return nil, err
	}
	l := &udpListener{host: h, sock: sock, port: outside{frame.ProtoUDP, v6, own.Port()}, young: map[netip.AddrPort]*client{}}
	if err = h.track(sock); err == nil && !h.start(func() { h.readAll(sock, payloadAt(v6), l.datagram, l.failed) }) {
		err = errClosed
	}
	if err != nil {
		_ = sock.Close()
		return nil, err
	}
	h.mu.Lock()
	h.listens[l.port] = append(h.listens[l.port], l)
	h.mu.Unlock()
	return &Listener{addr: own, stop: l.close}, nil
}

func openUDPListener(at netip.AddrPort) (*socket, netip.AddrPort, error) {
	v6 := at.Addr().Is6()
	fd, err := newSocket(unix.SOCK_DGRAM, unix.IPPROTO_UDP, v6)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	var own unix.Sockaddr
	if err = prepare(fd, frame.ProtoUDP, v6); err == nil {
		if err = prepareListener(fd, v6); err == nil {
			if err = unix.Bind(fd, sockaddr(at)); err == nil {
				own, err = unix.Getsockname(fd)
			}
		}
	}
	if err != nil {
		unix.Close(fd)
		return nil, netip.AddrPort{}, err
	}
	sock, err := wrap(fd, v6)
	return sock, addrPort(own), err
}

func (l *udpListener) close() {
	h := l.host
	h.mu.Lock()
	l.host.listens[l.port] = slices.DeleteFunc(h.listens[l.port], func(o *udpListener) bool { return o == l })
	if len(h.listens[l.port]) == 0 {
		delete(h.listens, l.port)
	}
	delete(h.closers, l.sock)
	h.mu.Unlock()
	_ = l.sock.Close()
	l.mu.Lock()
	gone := []map[netip.AddrPort]*client{l.young, l.old}
	l.young, l.old = map[netip.AddrPort]*client{}, nil
	l.mu.Unlock()
	for _, g := range gone {
		l.forget(g)
	}
}

// datagram hands in what a client sent.
func (l *udpListener) datagram(b []byte, r received) {
	if !r.from.IsValid() || r.from.Port() == 0 {
		return
	}
	seen, ok := l.meet(r)
	if !ok {
		return
	}
	r.from = seen
	l.host.injectUDP(b, r, l.port.port)
}

// failed hands in an ICMP error about an answer. About those to the host itself there is nothing that the inside could
// make of it.
func (l *udpListener) failed(f failure) {
	if quote, ok := l.sent.find(f.to); ok && f.to.IsValid() && (f.icmpType != 0 || f.code != 0) {
		l.host.injectError(f, quote)
	}
}

// answer sends a datagram from a published port back to its client, if it comes from one.
func (h *Host) answer(p *outgoing, port outside, to netip.AddrPort, payload []byte) (r trace.Reason, ok bool) {
	h.mu.RLock()
	listeners := h.listens[port]
	h.mu.RUnlock()
	if len(listeners) == 0 {
		return trace.NoReason, false
	}
	l, options := listeners[0], p.options()
	for _, o := range listeners {
		if c := o.find(to); c != nil {
			l, to, options.from = o, c.real, c.local
			break
		}
	}
	if h.IsMachine(to.Addr()) {
		return trace.ClientGone, true
	}
	l.sent.note(p.ip)
	return l.sock.sendAll(payload, p.pieces(), to, options), true
}

// client is who sent to a published UDP port.
type client struct {
	real  netip.AddrPort
	local netip.Addr
}

// clientsKept bounds each of the two generations of a listener's clients. When the young one is full it becomes the old
// one, and who has not written since the time before is forgotten.
const clientsKept = 2048

// forget gives back the names of clients.
func (l *udpListener) forget(gone map[netip.AddrPort]*client) {
	for seen, c := range gone {
		if seen != c.real {
			l.host.leave(frame.ProtoUDP, c.real, l.port.v6)
		}
	}
}

// meet remembers a client and returns the name that the inside knows it by.
func (l *udpListener) meet(r received) (netip.AddrPort, bool) {
	seen, ok := l.host.aliasOf(frame.ProtoUDP, r.from, l.port.v6)
	if !ok {
		return seen, false
	}
	l.mu.Lock()
	_, young := l.young[seen]
	_, old := l.old[seen]
	l.young[seen] = &client{real: r.from, local: r.local}
	delete(l.old, seen)
	var gone map[netip.AddrPort]*client
	if len(l.young) >= clientsKept {
		gone, l.old, l.young = l.old, l.young, map[netip.AddrPort]*client{}
	}
	l.mu.Unlock()
	if seen != r.from && (young || old) {
		l.host.leave(frame.ProtoUDP, r.from, l.port.v6) // it held its name already
	}
	l.forget(gone)
	return seen, true
}

// find returns the client behind a name.
func (l *udpListener) find(seen netip.AddrPort) *client {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.young[seen]; c != nil {
		return c
	}
	return l.old[seen]
}

// alias is a port of HostConfig.Gateway that stands for a client of the host's own.
type alias struct {
	port outside
	refs int
}

// aliasOf returns the address and port that the inside sees of a client, in IPv6 or IPv4, until leave is called.
func (h *Host) aliasOf(proto uint8, client netip.AddrPort, v6 bool) (seen netip.AddrPort, ok bool) {
	addr := client.Addr()
	if addr.Is6() == v6 && !addr.IsLoopback() && addr != h.self(v6) && !(v6 && addr.IsLinkLocalUnicast()) {
		return client, true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	key := aliased{proto, client, v6}
	a := h.aliases[key]
	for range 1 << 16 {
		if a != nil {
			break
		}
		h.lastAlias++ // round and round, so that a port rests before the next one gets it
		if port := (outside{proto, v6, h.lastAlias}); port.port >= 1024 && !h.aliasPorts[port] {
			a = &alias{port: port}
			h.aliases[key], h.aliasPorts[port] = a, true
		}
	}
	if a == nil {
		return netip.AddrPort{}, false
	}
	a.refs++
	return netip.AddrPortFrom(h.standIn(v6), a.port.port), true
}

// leave ends one aliasOf.
func (h *Host) leave(proto uint8, client netip.AddrPort, v6 bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := aliased{proto, client, v6}
	if a := h.aliases[key]; a != nil {
		if a.refs--; a.refs == 0 {
			delete(h.aliases, key)
			delete(h.aliasPorts, a.port)
		}
	}
}

// aliased is a client that has an alias.
type aliased struct {
	proto  uint8
	client netip.AddrPort
	v6     bool // as which the inside sees it
}

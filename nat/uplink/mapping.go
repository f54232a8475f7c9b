//go:build !js

package uplink

import (
	"net/netip"
	"sync/atomic"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// endpoint is where a flow begins inside. For ICMP echo the identifier is the port.
type endpoint struct {
	proto uint8
	addr  frame.Addr
	port  uint16
}

// inside is an inside endpoint, and which outside ports a rule allows it: one for each rule, where rules name ports.
type inside struct {
	endpoint
	ports nat.PortRange
}

// outside is a port of the uplink's own address of a family.
type outside struct {
	proto uint8
	v6    bool
	port  uint16
}

func outsideOf(proto uint8, own netip.Addr, port uint16) outside {
	return outside{proto, own.Is6(), port}
}

// outside is a port that the endpoint may have.
func (e endpoint) outside(port uint16) outside { return outside{e.proto, !e.addr.Is4(), port} }

// mapping is one inside endpoint and the outside port that it has, whatever it talks to. Its fields are guarded by
// Host.mu, except where a type guards itself.
//
//	UDP, ICMP by ping sockets   sock is the reservation and carries everything; evicted it is nil until it is wanted again
//	ICMP by the raw socket      sock stays nil, the table is the reservation
//	TCP                         sock stays nil: each connection has a socket of its own (dial), all bound to this port.
//	                            The first is the reservation; while at least one is open, nobody else gets the port
type mapping struct {
	inside inside
	port   uint16
	refs   int
	who    *source
	from   sender
	used   atomic.Int64 // when a packet left last, in nanoseconds
	sock   *socket
	raw    bool // ICMP by the raw socket
	dials  map[netip.AddrPort]*dial
	sent   quotes // what left last, for ICMP errors
}

func (m *mapping) outside() outside { return m.inside.outside(m.port) }

// enter puts a new mapping into the tables. What had to go for it is for the caller to close, outside the lock.
func (h *Host) enter(key inside, port uint16, sock *socket, b nat.Binding, now time.Time) (own netip.AddrPort, evicted []closer) {
	t, from := b.Tuple, sender{source: b.Source}
	m := &mapping{inside: key, port: port, who: h.source(from), from: from}
	m.used.Store(now.UnixNano())
	if o := h.outside[m.outside()]; o != nil {
		m.refs = o.refs // inherited: they will be released at this port
	}
	h.inside[key], h.outside[m.outside()] = m, m
	own = h.use(m, t)
	switch {
	case sock == nil: // the raw socket carries it, and is not counted
		h.sockets--
		m.raw = true
	case key.proto == frame.ProtoTCP:
		d := m.dials[destination(t)]
		d.sock = sock
		m.who.dials[d] = struct{}{}
	default:
		m.sock = sock
		m.who.flows[m] = struct{}{}
		h.running.Go(func() { h.receive(m, sock) })
	}
	return own, h.trim(m.who)
}

// use counts one more flow of a mapping.
func (h *Host) use(m *mapping, t frame.Tuple) netip.AddrPort {
	m.refs++
	if m.inside.proto == frame.ProtoTCP {
		h.order++
		d := m.dials[destination(t)]
		if d == nil {
			d = &dial{m: m, order: h.order}
			if m.dials == nil {
				m.dials = map[netip.AddrPort]*dial{}
			}
			m.dials[destination(t)] = d
		}
		d.refs++
	}
	return netip.AddrPortFrom(h.self(m.outside().v6), m.port)
}

// forget takes a mapping out of the tables and returns its sockets, which the caller closes outside the lock.
func (h *Host) forget(m *mapping) []closer {
	delete(h.inside, m.inside)
	delete(h.outside, m.outside())
	end := h.takeSocket(m)
	for _, d := range m.dials {
		end = append(end, h.takeDial(d)...)
	}
	h.drop(m.who)
	return end
}

// takeSocket takes the socket of a mapping away, if it has one.
func (h *Host) takeSocket(m *mapping) []closer {
	if m.sock == nil {
		return nil
	}
	sock := m.sock
	m.sock = nil
	delete(m.who.flows, m)
	h.sockets--
	h.drop(m.who)
	return []closer{sock}
}

// socketOf finds the socket of a UDP or ping mapping, and opens it again if it was evicted.
func (h *Host) socketOf(port outside, now time.Time) (*mapping, *socket, trace.Reason) {
	h.mu.RLock()
	m := h.outside[port]
	var sock *socket
	if m != nil {
		sock = m.sock
	}
	h.mu.RUnlock()
	if m == nil {
		return nil, nil, trace.NATNoPort
	}
	m.used.Store(now.UnixNano())
	if sock != nil {
		return m, sock, trace.NoReason
	}
	sock, r := h.reopen(m)
	return m, sock, r
}

// reopen gives a mapping whose socket was evicted a new one at the same port.
func (h *Host) reopen(m *mapping) (*socket, trace.Reason) {
	h.mu.Lock()
	if h.closed || h.outside[m.outside()] != m {
		h.mu.Unlock()
		return nil, trace.NATNoPort
	}
	evicted, r := h.admit(m.who)
	h.mu.Unlock()
	closeAll(evicted)
	if r != trace.NoReason {
		return nil, r
	}
	sock, _, r := h.openPort(m.outside())
	h.mu.Lock()
	if r == trace.NoReason && m.sock == nil && h.outside[m.outside()] == m && !h.closed {
		m.sock, m.who = sock, h.source(m.from) // its source may have been forgotten while it had nothing
		m.who.flows[m] = struct{}{}
		h.running.Go(func() { h.receive(m, sock) })
		evicted = h.trim(m.who)
		h.mu.Unlock()
		closeAll(evicted)
		return sock, trace.NoReason
	}
	h.sockets--
	faster := m.sock // somebody else's, or nil if the mapping ended meanwhile
	h.mu.Unlock()
	if r != trace.NoReason {
		return nil, r
	}
	_ = sock.Close()
	if faster == nil {
		return nil, trace.NATNoPort
	}
	return faster, trace.NoReason
}

package uplink

import (
	"net/netip"
	"sync/atomic"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
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

// outside is a port of the uplink's own address.
type outside struct {
	proto uint8
	port  uint16
}

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

func (m *mapping) outside() outside { return outside{m.inside.proto, m.port} }

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
	return netip.AddrPortFrom(h.addr, m.port)
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

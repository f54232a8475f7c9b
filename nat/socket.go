package nat

import (
	"fmt"
	"maps"
	"net/netip"
	"time"

	"uswitch/nat/conntrack"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Selective is a Socket that is not there for everyone, or not everywhere. Where it does not listen, its port is closed. Where it
// does, no DNAT leads elsewhere: a port that is published as well must not take the lab's name server away from its hosts, as
// Docker's, which is inside each container, cannot be taken away.
type Selective interface {
	Socket
	// Accepts reports whether it takes packets from src to dst, an address of the gateway's. It is called from many goroutines
	// and must not block.
	Accepts(src, dst netip.Addr) bool
}

// Open gives a socket what ends at the gateway's own addresses, with this protocol and this port: of TCP and UDP the
// destination port, of ICMP the identifier of a query that the gateway has sent. ICMP errors about what was sent from
// there go to it as well. release ends that; what is under way may still come in.
func (g *Gateway) Open(proto uint8, port uint16, s Socket) (release func(), err error) {
	key := socketKey{proto, port}
	err = g.change(func(v *view) error {
		if v.sockets[key] != nil {
			return fmt.Errorf("gateway: %s port %d is taken", frame.ProtoName(proto), port)
		}
		next := maps.Clone(v.sockets)
		if next == nil {
			next = map[socketKey]Socket{}
		}
		next[key], v.sockets = s, next
		return nil
	})
	return func() {
		_ = g.change(func(v *view) error {
			v.sockets = maps.Clone(v.sockets)
			delete(v.sockets, key)
			return nil
		})
	}, err
}

// Source returns the address that the gateway's own packets to dst carry: that of the interface they leave by.
func (g *Gateway) Source(dst netip.Addr) (netip.Addr, bool) {
	v := g.view.Load()
	if v.local[dst] != nil {
		return dst, true
	}
	r, ok := v.routes.Lookup(dst)
	if !ok {
		return netip.Addr{}, false
	}
	to := dst
	if r.Via.IsValid() {
		dst = r.Via
	}
	from := r.Dev.sourceFor(to, dst)
	return from, from.IsValid()
}

// deliver hands a packet to the program that waits for it, and reports whether there is one.
func (g *Gateway) deliver(p *packet) bool {
	key, ok := p.socket()
	if !ok {
		return false
	}
	s := g.view.Load().sockets[key]
	if s == nil {
		return false
	}
	if c, ok := s.(Selective); ok && !c.Accepts(p.ip.Src(), p.ip.Dst()) {
		return false
	}
	if p.j.On() {
		p.emit(p.event(trace.Input, trace.Consume, trace.Delivered))
	}
	s.Deliver(p.f, p.now)
	return true
}

// keeps reports whether a packet is for a Selective that accepts it, so that no rule may lead it elsewhere.
func (v *view) keeps(p *packet) bool {
	if p.in == nil || len(v.sockets) == 0 || v.local[p.ip.Dst()] == nil {
		return false
	}
	key, ok := p.socket()
	if !ok || frame.IsICMP(key.proto) {
		return false
	}
	c, ok := v.sockets[key].(Selective)
	return ok && c.Accepts(p.ip.Src(), p.ip.Dst())
}

// awaits reports whether a program of the gateway waits for answers to this packet, which the gateway itself has sent.
func (g *Gateway) awaits(p *packet) bool {
	sent := p.tuple
	if p.flow.conn != nil {
		sent = p.flow.conn.Tuples[conntrack.Original] // as the program sent it
	}
	return p.hasTuple && g.view.Load().sockets[socketKey{sent.Proto, sent.SrcPort}] != nil
}

// socket returns which socket the packet is for.
func (p *packet) socket() (key socketKey, ok bool) {
	if !p.ip.IsICMP() {
		return socketKey{p.tuple.Proto, p.tuple.DstPort}, p.hasTuple && p.tuple.HasPorts()
	}
	if m, whole := p.ip.ICMP(); !whole || p.ip.IsICMPQuestion() {
		return key, false
	} else if !p.ip.IsICMPError() {
		return socketKey{p.ip.Proto(), m.ID()}, p.ip.IsICMPQuery()
	}
	quote, ok := p.ip.Quote()
	if !ok {
		return key, false
	}
	about, ok := quote.Tuple()
	return socketKey{about.Proto, about.SrcPort}, ok
}

// mute stands for a socket in a fork: what is tried out reaches no program.
type mute struct{}

func (mute) Deliver(frame.Frame, time.Time) {}

// selectiveMute stands for a Selective, and hears whom that accepts.
type selectiveMute struct {
	mute
	accepts func(src, dst netip.Addr) bool
}

func (m selectiveMute) Accepts(src, dst netip.Addr) bool { return m.accepts(src, dst) }

// forkSockets returns the sockets of a fork.
func (v *view) forkSockets() map[socketKey]Socket {
	twins := map[socketKey]Socket{}
	for key, s := range v.sockets {
		twins[key] = mute{}
		if c, ok := s.(Selective); ok {
			twins[key] = selectiveMute{accepts: c.Accepts}
		}
	}
	return twins
}

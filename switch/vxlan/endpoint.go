package vxlan

import (
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Socket sends datagrams to other machines. Its methods may be called from many goroutines, and wait for nothing.
type Socket interface {
	// Source returns where the packets of a flow come from.
	Source(flow uint32) netip.AddrPort
	// Send sends datagrams that stand one behind the other in b, each of size bytes but the last, which may be shorter. Either
	// all of them left, or the reason says why not; when that is trace.PktTooBig, fits is how much a datagram can hold.
	Send(b []byte, size int, flow uint32, to netip.AddrPort, tos uint8) (r trace.Reason, fits int)
}

// Arrival is what arrived at an Endpoint's port from another machine: datagrams that stand one behind the other, each of Size bytes
// but the last, which may be shorter. They came from one socket, with one type of service.
type Arrival struct {
	Data     []byte
	Size     int
	From     netip.AddrPort
	TTL, TOS uint8
}

// MaxTogether is how many datagrams a Socket is given at once at the most, and MaxBytes how many bytes they have.
const (
	MaxTogether = 64    // include/linux/udp.h: UDP_MAX_SEGMENTS, before it became 128
	MaxBytes    = 65000 // less than what a datagram can hold, as the kernel counts all together as one
)

// Endpoint is a VTEP: one address and port of this machine, at which the packets of any number of networks arrive.
type Endpoint struct {
	local  netip.AddrPort
	ttl    uint8
	socket Socket
	tracer *trace.Tracer
	links  atomic.Pointer[map[uint32]*Link]

	mu sync.Mutex // serialises changes of links

	merge merger // of the goroutine that calls Input
}

// EndpointConfig describes an Endpoint.
type EndpointConfig struct {
	Local  netip.AddrPort
	TTL    uint8 // of what leaves, as the trace shows it; 0: DefaultTTL
	Socket Socket
	Tracer *trace.Tracer
}

// NewEndpoint makes one that no network uses yet.
func NewEndpoint(c EndpointConfig) *Endpoint {
	if c.TTL == 0 {
		c.TTL = DefaultTTL
	}
	e := &Endpoint{local: c.Local, ttl: c.TTL, socket: c.Socket, tracer: c.Tracer}
	e.links.Store(&map[uint32]*Link{})
	return e
}

// Local returns the address and port.
func (e *Endpoint) Local() netip.AddrPort { return e.local }

// Source returns where the packets of a flow come from.
func (e *Endpoint) Source(flow uint32) netip.AddrPort { return e.socket.Source(flow) }

// join makes a link the one of its VNI.
func (e *Endpoint) join(l *Link) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := maps.Clone(*e.links.Load())
	if other := now[l.vni]; other != nil {
		return fmt.Errorf("VNI %d at %v is %s's already", l.vni, e.local, other.name)
	}
	now[l.vni] = l
	e.links.Store(&now)
	return nil
}

// leave is the opposite of join.
func (e *Endpoint) leave(l *Link) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := maps.Clone(*e.links.Load())
	if now[l.vni] == l {
		delete(now, l.vni)
	}
	e.links.Store(&now)
}

// Input takes what arrived, and hands the frames inside to the ports of their networks, of one TCP stream several together: what may
// go on in the next Arrival waits for Flush. Until then the bytes are borrowed; they are changed.
func (e *Endpoint) Input(a Arrival, now time.Time) {
	for len(a.Data) > 0 {
		size := len(a.Data)
		if a.Size > 0 && a.Size < size {
			size = a.Size
		}
		e.datagram(a.Data[:size:size], &a, now)
		a.Data = a.Data[size:]
	}
}

// Flush hands over what has waited for more.
func (e *Endpoint) Flush(now time.Time) { e.merge.flush(now) }

// datagram takes one of them.
func (e *Endpoint) datagram(b []byte, a *Arrival, now time.Time) {
	vni, ok := frame.ParseVXLAN(b)
	if !ok {
		e.drop(trace.VXLANHeader, nil, b, 0, a, now)
		return
	}
	data := b[frame.VXLANHeader:]
	l := (*e.links.Load())[vni]
	switch {
	case l == nil:
		e.drop(trace.VXLANVNI, nil, data, vni, a, now)
		return
	case !l.believes(a.From.Addr()):
		r := trace.VXLANPeer
		if a.From.Addr() == e.local.Addr() {
			r = trace.VXLANOwn
		}
		e.drop(r, l, data, vni, a, now)
		return
	case a.TOS&frame.ECNMask == frame.ECNCE && !mark(data):
		e.drop(trace.TunnelECN, l, data, vni, a, now)
		return
	}
	e.merge.add(l, data, a, now)
}

// mark hands on the mark of an outer packet that met congestion; see frame.Ethernet.MarkCongestion.
func mark(data []byte) bool {
	e, ok := frame.ParseEthernet(data)
	return !ok || e.MarkCongestion()
}

// outer is what a datagram came in.
func (e *Endpoint) outer(a *Arrival, vni uint32) trace.Outer {
	return trace.Outer{Src: a.From, Dst: e.local, VNI: vni, TTL: a.TTL, TOS: a.TOS}
}

// drop counts a datagram that goes no further, against its network's port where that is known, and tells whoever listens.
func (e *Endpoint) drop(r trace.Reason, l *Link, data []byte, vni uint32, a *Arrival, now time.Time) {
	if l != nil {
		l.dropped.Add(1)
	}
	own := e.tracer.Begin(now)
	defer own.End()
	if j := e.tracer.Drop(r, own); j.On() {
		where, name := e.local.String(), ""
		if l != nil {
			where, name = l.where, l.name
		}
		outer := e.outer(a, vni)
		outer.Raw = r == trace.VXLANHeader
		j.Emit(trace.Event{Hook: trace.Decap, Verdict: trace.Drop, Reason: r, Where: where, Port: name, Outer: outer, Frame: frame.Frame{Data: data}})
	}
}

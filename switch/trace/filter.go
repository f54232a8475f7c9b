package trace

import (
	"net/netip"
	"slices"

	"uswitch/switch/frame"
)

// Filter says which events a listener wants. A FilterSpec makes one. It follows what it has matched: once one step of a
// journey matches by host, port and protocol, so do the journey's later steps and those of its connection, though the
// addresses are translated on the way. It therefore has a memory, and is for one goroutine. A nil Filter matches all.
type Filter struct {
	hosts []host
	port  uint16
	proto func(etherType uint16, ipProto uint8) bool
	hooks []Hook
	drops bool

	journeys, conns recent
}

// host is matched by the port that it is plugged into or by its addresses.
type host struct {
	name  string // empty if it was given by address
	addrs []netip.Addr
}

// Match reports whether the listener wants e.
func (f *Filter) Match(e *Event) bool {
	if f == nil {
		return true
	}
	return f.follows(e) && (len(f.hooks) == 0 || slices.Contains(f.hooks, e.Hook)) && (!f.drops || e.Verdict == Drop)
}

// follows matches what is about the packet, and remembers it.
func (f *Filter) follows(e *Event) bool {
	if len(f.hosts) == 0 && f.port == 0 && f.proto == nil {
		return true
	}
	if !f.journeys.has(e.Packet) && !f.conns.has(e.Conn) && !f.concerns(e) {
		return false
	}
	f.journeys.add(e.Packet)
	if e.Conn != 0 {
		f.conns.add(e.Conn)
	}
	return true
}

// concerns matches the packet as it is at this hop.
func (f *Filter) concerns(e *Event) bool {
	etherType, payload, _ := e.layers()
	var tuple frame.Tuple
	if p, ok := e.packet(); ok {
		tuple, _ = frame.TupleOf(p)
	}
	if f.proto != nil && !f.proto(etherType, tuple.Proto) {
		return false
	}
	if f.port != 0 && (!tuple.HasPorts() || tuple.SrcPort != f.port && tuple.DstPort != f.port) {
		return false
	}
	if len(f.hosts) == 0 {
		return true
	}
	src, dst := tuple.Src(), tuple.Dst()
	if a, ok := frame.ParseARP(payload); ok && etherType == frame.TypeARP {
		src, dst = a.SenderIP(), a.TargetIP()
	}
	return slices.ContainsFunc(f.hosts, func(h host) bool {
		return h.name != "" && h.name == e.Port || slices.Contains(h.addrs, src) || slices.Contains(h.addrs, dst)
	})
}

package trace

import (
	"net/netip"
	"slices"

	"uswitch/switch/frame"
)

// Filter says which events a listener wants. A FilterSpec makes one. It follows what it has matched: once one step of a
// journey matches by host, port and protocol, so do the journey's later steps and those of its connection, though the
// addresses are translated on the way, and its earlier ones: an answer comes in by the uplink with an address that says
// nothing of the host that it is for. It therefore has a memory, and is for one goroutine. A nil Filter matches all.
type Filter struct {
	hosts []host // at either end
	from  []host // senders
	port  uint16
	proto func(etherType uint16, ipProto uint8) bool
	hooks []Hook
	drops bool

	journeys, conns recent
	answers         map[frame.Tuple]bool // see begins

	early [maxEarly]Event // steps of journeys that may still turn out to be wanted; a Hop of 0: no such step
	next  int             // the place of the oldest
}

// host is matched by the port that it is plugged into or by its addresses.
type host struct {
	name   string // empty if it was given by address
	addrs  []netip.Addr
	shared []string // names of hosts with an address of its: it uses their ports
}

// maxEarly bounds the steps that are remembered: a journey takes microseconds, so those of others in between are few.
const maxEarly = 256

// Pass hands e to the listener if it is wanted, behind the steps of the same journey that came before it was known to be.
// give borrows what it gets. The error is give's.
func (f *Filter) Pass(e *Event, give func(*Event) error) error {
	if f == nil {
		return give(e)
	}
	known := f.all() || f.journeys.has(e.Packet)
	if !f.follows(e) {
		f.remember(e)
		return nil
	}
	for i := range f.early {
		s := &f.early[(f.next+i)%maxEarly]
		if known || s.Packet != e.Packet || s.Hop == 0 {
			continue
		}
		if err := f.hand(s, give); err != nil {
			return err
		}
		s.Hop = 0
	}
	return f.hand(e, give)
}

// hand hands on a step of a journey that is wanted, if the step is.
func (f *Filter) hand(e *Event, give func(*Event) error) error {
	if len(f.hooks) > 0 && !slices.Contains(f.hooks, e.Hook) || f.drops && e.Verdict != Drop {
		return nil
	}
	return give(e)
}

// remember keeps a copy of a step, in the place of the oldest.
func (f *Filter) remember(e *Event) {
	s := &f.early[f.next]
	data := append(s.Frame.Data[:0], e.Frame.Data...)
	*s = *e
	s.Frame.Data = data
	f.next = (f.next + 1) % maxEarly
}

// follows matches what is about the packet, and remembers it.
func (f *Filter) follows(e *Event) bool {
	if f.all() {
		return true
	}
	if !f.journeys.has(e.Packet) && !f.conns.has(e.Conn) && !f.concerns(e) {
		return false
	}
	f.journeys.add(e.Packet)
	if e.Conn != 0 && len(f.from) == 0 {
		f.conns.add(e.Conn)
	}
	return true
}

// all reports whether every packet is wanted.
func (f *Filter) all() bool {
	return f == nil || len(f.hosts) == 0 && len(f.from) == 0 && f.port == 0 && f.proto == nil
}

// concerns matches the packet as it is at this hop.
func (f *Filter) concerns(e *Event) bool {
	etherType, payload, _ := e.layers()
	var tuple frame.Tuple
	if p, ok := e.Network(); ok {
		tuple, _ = p.Tuple()
	}
	if f.proto != nil && !f.proto(etherType, tuple.Proto) {
		return false
	}
	if f.port != 0 && (!tuple.HasPorts() || tuple.SrcPort != f.port && tuple.DstPort != f.port) {
		return false
	}
	src, dst := tuple.Src(), tuple.Dst()
	if a, ok := frame.ParseARP(payload); ok && etherType == frame.TypeARP {
		src, dst = a.SenderIP(), a.TargetIP()
	}
	at := func(h host) bool { return h.name != "" && h.name == e.Port }
	return (len(f.hosts) == 0 || slices.ContainsFunc(f.hosts, func(h host) bool {
		return at(h) || slices.Contains(h.addrs, src) || slices.Contains(h.addrs, dst)
	})) && (len(f.from) == 0 || slices.ContainsFunc(f.from, func(h host) bool {
		return h.sent(e, src)
	}))
}

// sent reports whether a packet is the host's: by the port where it came in, where that is known, whatever its source says.
func (h host) sent(e *Event, src netip.Addr) bool {
	came := e.Came
	if came == "" && e.Hook == Ingress && !e.IP {
		came = e.Port
	}
	if h.name == "" || came == "" {
		return slices.Contains(h.addrs, src)
	}
	return came == h.name || slices.Contains(h.shared, came)
}

// maxAnswers bounds the tuples that are waited for.
const maxAnswers = 4096

// begins reports whether the journey that is about to begin with e is wanted. At its beginning nobody has looked up a
// packet's connection: an answer with translated addresses is known because it has the tuple that expects says is coming.
func (f *Filter) begins(e *Event) bool {
	if f.all() || f.journeys.has(e.Packet) {
		return true
	}
	if !f.concerns(e) {
		p, ok := e.Network()
		if !ok {
			return false
		}
		if tuple, _ := p.Tuple(); !f.answers[tuple] {
			return false
		}
	}
	f.journeys.add(e.Packet)
	return true
}

// expects notes what an answer to the packet would look like if the packet went out as it is at this hop.
func (f *Filter) expects(e *Event) {
	if f.all() || len(f.from) > 0 {
		return
	}
	if p, ok := e.Network(); ok {
		if f.answers == nil || len(f.answers) >= maxAnswers {
			f.answers = map[frame.Tuple]bool{}
		}
		if tuple, ok := p.Tuple(); ok {
			f.answers[tuple.Reply()] = true
		}
	}
}

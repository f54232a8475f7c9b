package nat

import (
	"net/netip"
	"time"

	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Failure is what became of a packet that had left by an uplink which has no stack of its own: the machine's says it.
type Failure struct {
	Type, Code uint8      // of the ICMP error
	MTU        uint16     // in bytes, where it says that the packet is too big
	Packet     frame.IPv4 // as it left, from its IP header on, as far as known: at least its ports. It is borrowed.
}

// Undelivered tells the sender of a packet what the machine says of it. On a Docker host the machine and the gateway are one:
// the error is the gateway's own, from the address and within the limits of those that it writes itself (see sendError). About
// a packet of which no connection is known there is nobody to tell.
func (g *Gateway) Undelivered(f Failure, now time.Time) {
	t, ok := frame.TupleOf(f.Packet)
	if !ok {
		return
	}
	about := flowOf(g.conns.Related(t, now))
	if about.conn == nil {
		g.tracer.Count(trace.NoConnForICMP)
		return
	}
	sent, source := about.conn.Tuples[about.dir.Other()], uint64(0)
	if about.dir == conntrack.Reply {
		source = about.conn.Source
	}
	from, ok := g.errorSource(sent.Src(), sent.Dst())
	if !ok {
		return
	}
	tooBig := f.Type == frame.ICMPUnreachable && f.Code == frame.UnreachableTooBig
	if !tooBig && !g.errors.allow(source, sent.Src(), now.Sub(g.epoch)) {
		g.tracer.Count(trace.Limited)
		return
	}
	said := frame.ICMPError{Type: f.Type, Code: f.Code}
	if tooBig {
		said.MTU = f.MTU
	}
	b, message := newError(said, f.Packet)
	frame.Rewrite(frame.IPv4(message.Payload()), t, sent, false)
	message.SetChecksum()
	frame.PutIPv4(b[frame.EthernetHeader:], frame.ProtoICMP, defaultTTL, uint16(g.forged.Add(1)), from, sent.Src())
	g.send(&packet{f: frame.Frame{Data: b}, now: now, machine: true,
		flow: flow{conn: about.conn, dir: about.dir, state: rule.StateRelated, verbatim: true}})
}

// errorSource returns from where the gateway tells a sender about its packet to receiver.
func (g *Gateway) errorSource(sender, receiver netip.Addr) (from netip.Addr, ok bool) {
	if g.view.Load().local[receiver] != nil {
		return receiver, true
	}
	return g.Source(sender)
}

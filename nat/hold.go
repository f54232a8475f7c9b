package nat

import (
	"net/netip"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Packets begin at the gateway in four places: they come in by an uplink, the gateway sends them, it sends an ARP packet,
// or what has waited goes on. At each, whoever steps through such packets is asked first: see trace.Stepper.

// holdUplink asks about a packet that came in by an uplink.
func (g *Gateway) holdUplink(in *Interface, f frame.Frame, j *trace.Journey) bool {
	e := trace.Event{Hook: trace.Ingress, Where: in.name, IP: true, Frame: f.Packet()}
	return j.Hold(e, f, func(f frame.Frame, j *trace.Journey, now time.Time) { g.inputUplink(in, f, j, now) })
}

// holdOwn asks about a packet of the gateway's own.
func (g *Gateway) holdOwn(p *packet) bool {
	e, q := trace.Event{Hook: trace.Output, Where: gatewayName, IP: true, Frame: p.f.Packet()}, *p
	return p.j.Hold(e, p.f, func(f frame.Frame, j *trace.Journey, now time.Time) {
		q.f, q.j, q.now = f, j, now
		g.output(&q)
	})
}

// holdFrame asks about an ARP packet of the gateway's own.
func (i *Interface) holdFrame(f frame.Frame, note trace.Note, addr netip.Addr, mac frame.MAC, j *trace.Journey) bool {
	e := trace.Event{Hook: trace.ARP, Where: gatewayName, Port: i.name, Frame: f}
	return j.Hold(e, f, func(f frame.Frame, j *trace.Journey, now time.Time) { i.sendOn(j, f, note, addr, mac, now) })
}

// holdWaiting asks about a packet that has waited; then is the rest of its way.
func (g *Gateway) holdWaiting(p *packet, then func(p *packet)) bool {
	e, q := p.event(trace.Neighbor, trace.Queue, trace.NoNote), *p
	return p.j.Hold(e, p.f, func(f frame.Frame, j *trace.Journey, now time.Time) {
		q.f, q.j, q.now = f, j, now
		q.ip = frame.IPv4(f.Data[frame.EthernetHeader:])[:len(q.ip)]
		then(&q)
	})
}

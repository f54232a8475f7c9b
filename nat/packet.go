package nat

import (
	"net/netip"
	"time"

	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// packet is one packet on its way through the gateway, and what has been found out about it so far. It lives on the
// stack of the goroutine that carries it.
type packet struct {
	f         frame.Frame // the whole frame; on an uplink the Ethernet header is mere room
	ip        frame.IP    // of either family: view of f.Data behind the Ethernet header, without padding
	in        *Interface  // where it came from; nil: the gateway itself sends it
	srcMAC    frame.MAC   // of the frame it came in; zero if it came in none
	etherType uint16      // of the frame it came in; 0 if it came in none
	toGroup   bool        // the frame was for a group: no ICMP error may answer it
	j         *trace.Journey
	now       time.Time

	tuple    frame.Tuple // as the packet is now
	hasTuple bool
	segment  conntrack.Segment
	flow     flow
	mark     uint32
	machine  bool       // an ICMP error of the gateway's own that it writes on the word of this machine: see Undelivered
	largest  int        // of a packet that came in fragments, the largest of them in bytes: so it may leave again
	link     *Interface // of the gateway's own, to a link-local address or a group: the network that it means
	note     trace.Note // of the gateway's own: what it is, if there is more to say than who sends it
	about    netip.Addr // the address that note speaks of
	station  frame.MAC  // and the station
	out      *Interface
	nextHop  netip.Addr
	prefix   netip.Prefix // of the route
}

// held is a packet that waits, for its next hop's address or for its other fragments, with bytes of its own.
type held struct {
	p     packet
	token trace.Token
}

// held returns a copy that may wait. The event that says so is still to be emitted.
func (p *packet) held() held {
	h := held{p: *p, token: p.j.Leave()}
	h.p.f, h.p.j = p.f.Clone(), nil
	h.p.ip = frame.IP(h.p.f.Data[frame.EthernetHeader:])
	return h
}

// event is a step of this packet at the gateway. The network layer sees packets, not frames.
func (p *packet) event(h trace.Hook, v trace.Verdict, n trace.Note) trace.Event {
	e := trace.Event{Hook: h, Verdict: v, Note: n, Where: gatewayName, Conn: p.flow.id(), Before: p.tuple, Frame: p.f}
	if p.ip != nil {
		e.IP, e.Frame = true, p.f.Packet()
	}
	return e
}

// emit tells a step of the packet, whose journey is watched. Somebody may hold it there: then it is later afterwards.
func (p *packet) emit(e trace.Event) {
	p.j.Emit(e)
	p.now = p.j.Now()
}

// gatewayName is where the trace says that the gateway's steps happen.
const gatewayName = "gateway"

// drop ends a packet's journey.
func (g *Gateway) drop(p *packet, h trace.Hook, r trace.Reason) {
	g.dropBy(p, h, r, rule.Decision{})
}

// dropBy ends a packet's journey because of a rule or a policy.
func (g *Gateway) dropBy(p *packet, h trace.Hook, r trace.Reason, d rule.Decision) {
	if p.in != nil {
		p.in.rxDrops.Add(1)
	} else if p.out != nil {
		p.out.txDrops.Add(1)
	}
	if j := g.tracer.Drop(r, p.j); j.On() {
		e := p.event(h, trace.Drop, trace.NoNote)
		e.Reason, e.Rule, e.Chain, e.Target = r, d.Text, d.Chain, d.Target
		if p.j == nil { // nobody watches: the journey is of this step alone, and does not know where the packet's own began
			e.Came = p.in.port(p.f.Source)
		}
		if p.out != nil {
			e.Port, e.Count = p.out.name, uint32(p.out.config.MTU)
		}
		if p.ip != nil {
			e.Addr, e.Prefix = p.ip.Dst(), p.prefix
		}
		j.Emit(e)
	}
}

// fits reports whether the packet can leave as it is; of a super-frame each segment has to.
func (p *packet) fits() bool {
	return p.f.Offload.WireLength(len(p.f.Data))-frame.EthernetHeader <= p.out.config.MTU
}

// defaultTTL is net.ipv4.ip_default_ttl, and IPv6's hop_limit.
const defaultTTL = 64

// partial reports whether the transport checksum is left to the device; that of a tunnelled packet does not count.
func (p *packet) partial() bool {
	return p.f.Offload.NeedsChecksum && int(p.f.Offload.ChecksumStart) == frame.EthernetHeader+p.ip.HeaderLen()
}

package nat

import (
	"net/netip"
	"sync"
	"time"

	"uswitch/arp"
	"uswitch/arp/nd"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// inputLink does what the gateway does with the messages by which the stations of a link find each other: it answers for its own
// addresses, learns, sends what has waited for the sender, and tells hosts about the link where it is to.
func (g *Gateway) inputLink(p *packet) {
	switch p.ip.Payload()[0] {
	case frame.ICMPv6MLDQuery, frame.ICMPv6MLDReport, frame.ICMPv6MLDDone, frame.ICMPv6MLD2Report:
		if p.j.On() {
			p.emit(p.event(trace.Input, trace.Consume, trace.MLDHeard))
		}
		return
	}
	if p.in == nil || p.in.segment == nil {
		g.drop(p, trace.Input, trace.NoGroup) // an uplink has no neighbours
		return
	}
	m, problem := frame.ParseND(frame.IPv6(p.ip))
	if problem != 0 {
		g.drop(p, trace.Input, ndProblems[problem])
		return
	}
	if m.Type == frame.ICMPv6RouterAdvert {
		g.drop(p, trace.Input, trace.ForeignRouter)
		return
	}
	out := nd.Input(p.in.neighbors, m, p.srcMAC, p.in.self(), p.now)
	if r, bad := ndReasons[out.Case]; bad {
		g.drop(p, trace.Input, r)
		return
	}
	if p.j.On() {
		p.emitND(out.Case, out.Learned, m)
	}
	g.answerLink(p, m, out.Case)
	g.release(out.Held, p.srcMAC, p.now)
}

// answerLink answers a solicitation.
func (g *Gateway) answerLink(p *packet, m frame.ND, c arp.Case) {
	switch {
	case m.Type == frame.ICMPv6RouterSolicit:
		g.advertiseRouter(p.in, p.now)
	case c == arp.Asked:
		g.advertise(p.in, m.Target, m.Src, trace.Originated, p.now)
	case c == arp.Probed, c == arp.Conflict:
		g.advertise(p.in, m.Target, frame.AllNodes, trace.Originated, p.now)
	}
}

// ndProblems and ndReasons are why a message of neighbour discovery is dropped.
var (
	ndProblems = map[frame.NDProblem]trace.Reason{frame.NDDistant: trace.NDDistant, frame.NDFragmented: trace.NDFragment, frame.NDMalformed: trace.BadND, frame.NDImpossible: trace.BadND}
	ndReasons  = map[arp.Case]trace.Reason{arp.Disguised: trace.NDSender, arp.Foreign: trace.ARPForeign}
)

// emitND tells what the gateway made of a solicitation or an advertisement.
func (p *packet) emitND(c arp.Case, learned bool, m frame.ND) {
	event := func(v trace.Verdict, n trace.Note, addr netip.Addr) trace.Event {
		e := p.event(trace.Input, v, n)
		e.Port, e.MAC, e.Addr = p.in.name, p.srcMAC, addr
		return e
	}
	sender := m.Src
	if m.Type == frame.ICMPv6Advert {
		sender = m.Target
	}
	switch {
	case learned && c == arp.Told:
		p.emit(event(trace.Consume, trace.ARPLearned, sender))
		return
	case learned:
		p.emit(event(trace.Accept, trace.ARPLearned, sender))
	}
	switch {
	case m.Type == frame.ICMPv6RouterSolicit && p.in.advert.Load() == nil:
		p.emit(event(trace.Consume, trace.RouterSilent, sender))
	case m.Type == frame.ICMPv6RouterSolicit:
		p.emit(event(trace.Consume, trace.RouterAsked, sender))
	default:
		notes := map[arp.Case]trace.Note{arp.NotMine: trace.ARPNotMine, arp.Asked: trace.ARPAnswered, arp.Probed: trace.ARPProbed,
			arp.Told: trace.ARPHeard, arp.Unsolicited: trace.ARPIgnored, arp.Conflict: trace.ARPDefended}
		p.emit(event(trace.Consume, notes[c], m.Target))
	}
}

// sendLink sends a message of neighbour discovery in the gateway's own name, from an IPv6 packet behind room for its Ethernet header.
func (g *Gateway) sendLink(i *Interface, b []byte, note trace.Note, about netip.Addr, station frame.MAC, now time.Time) {
	g.send(&packet{f: frame.Frame{Data: b}, now: now, link: i, note: note, about: about, station: station})
}

// room is what stands in front of an IPv6 packet that the gateway writes.
func room() []byte { return make([]byte, frame.EthernetHeader, 128) }

// solicit asks for a neighbour: its group, or the station where it was last.
func (g *Gateway) solicit(i *Interface, addr netip.Addr, to frame.MAC, now time.Time) {
	src, note := i.sourceFor(addr, addr), trace.Originated
	if !src.IsValid() {
		return // its addresses are gone
	}
	if to != frame.Broadcast {
		note = trace.NeighborProbe
	}
	g.sendLink(i, frame.AppendNeighborSolicit(room(), src, addr, i.self().MAC, to != frame.Broadcast), note, addr, to, now)
}

// advertise says that an address is the gateway's, to who has asked or, unasked, to all.
func (g *Gateway) advertise(i *Interface, addr, to netip.Addr, note trace.Note, now time.Time) {
	a := frame.NeighborAdvert{Src: addr, Dst: to, Target: addr, MAC: i.self().MAC, Router: g.view.Load().forwarding6, Override: true,
		Solicited: !to.IsMulticast()}
	g.sendLink(i, frame.AppendNeighborAdvert(room(), a), note, addr, a.MAC, now)
}

// Times of router advertisements (RFC 4861 6.2.1, 10): how long from one to the next that nobody has asked for, how long between
// the first few, and how long between two that were asked for.
const (
	advertInterval      = 200 * time.Second
	firstAdvertInterval = 16 * time.Second
	firstAdverts        = 3
	advertPause         = 3 * time.Second
)

// adverts is when an interface's router advertisements are due.
type adverts struct {
	mu   sync.Mutex // guards all below
	sent int
	last time.Time
	due  time.Time // zero: nothing is planned
}

// Advertise makes the gateway tell hosts on a network what they configure themselves with, or with nil no longer. It says at
// once what has changed; who is told no longer hears that there is no router any more.
func (g *Gateway) Advertise(i *Interface, a *frame.RouterAdvert, now time.Time) {
	before := i.advert.Swap(a)
	if a == nil && before != nil {
		gone := *before
		gone.Lifetime = 0
		g.sendAdvert(i, gone, now)
	}
	i.adverts.mu.Lock()
	i.adverts.sent, i.adverts.due = 0, now
	i.adverts.mu.Unlock()
	g.arm(now)
}

// advertiseRouter answers who has asked whether there is a router: all hear it, at most every advertPause.
func (g *Gateway) advertiseRouter(i *Interface, now time.Time) {
	s := &i.adverts
	s.mu.Lock()
	if next := s.last.Add(advertPause); s.last.IsZero() || !next.After(now) {
		s.due = now
	} else if s.due.After(next) {
		s.due = next
	}
	s.mu.Unlock()
	g.arm(now)
}

// advertTick sends the advertisement that is due.
func (g *Gateway) advertTick(i *Interface, now time.Time) (next time.Time) {
	a, s := i.advert.Load(), &i.adverts
	if a == nil || !i.hasIPv6() || !g.view.Load().forwarding6 {
		return time.Time{}
	}
	s.mu.Lock()
	send := !s.due.After(now)
	if send {
		s.sent, s.last, s.due = s.sent+1, now, now.Add(advertInterval)
		if s.sent < firstAdverts {
			s.due = now.Add(firstAdvertInterval)
		}
	}
	next = s.due
	s.mu.Unlock()
	if send {
		g.sendAdvert(i, *a, now)
	}
	return next
}

func (g *Gateway) sendAdvert(i *Interface, a frame.RouterAdvert, now time.Time) {
	if !i.linkLocal().IsValid() {
		return
	}
	g.sendLink(i, frame.AppendRouterAdvert(room(), a, i.linkLocal(), frame.AllNodes, i.self().MAC), trace.RouterAdvertised, i.linkLocal(), i.self().MAC, now)
}

// times returns how many advertisements were sent, when the last one was, and when the next is due.
func (s *adverts) times() (sent int, last, due time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent, s.last, s.due
}

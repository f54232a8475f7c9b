package nat

import (
	"time"

	"uswitch/arp"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Bridge shows what a switch carries from port to port to the gateway's rules, as br_netfilter does in Linux where
// nf_call_iptables is set: a packet passes raw's PREROUTING and FORWARD with the network's name for both interfaces, and
// its connection is tracked, but nothing is routed or translated. It is a vswitch.Filter. The gateway need not stand on
// the network.
type Bridge struct {
	gw   *Gateway
	self *Interface // of the network's name; it has no address and is in no list
}

// Bridge returns the filter for the network of that name, which is asked for no more than the names of its ports.
func (g *Gateway) Bridge(name string, network Segment) *Bridge {
	self := &Interface{gw: g, number: g.number(name), name: name, segment: network}
	self.own.Store(&arp.Self{Addr: nobody})
	return &Bridge{gw: g, self: self}
}

// Bridged reports whether a frame may go on to other ports, and tells the journey which rule has decided. Only IP packets
// are shown to the rules, as nf_call_ip6tables does it for IPv6. It neither keeps nor changes the frame, and may be called from many goroutines.
func (b *Bridge) Bridged(f frame.Frame, j *trace.Journey, now time.Time) bool {
	e, ok := frame.ParseEthernet(f.Data)
	if !ok || e.Type() != frame.TypeIPv4 && e.Type() != frame.TypeIPv6 {
		return true
	}
	g := b.gw
	f.Source = b.self.source(f)
	p := &packet{f: f, in: b.self, srcMAC: e.Src(), etherType: e.Type(), toGroup: e.Dst().IsGroup(), j: j, now: now}
	if r := p.parse(); r != trace.NoReason {
		g.drop(p, trace.Prerouting, r)
		return false
	}
	// Fragments are not put together here, because they go on as they are: the rules see their addresses and no ports.
	if !p.ip.IsFragment() {
		if r := p.readTransport(); r != trace.NoReason {
			g.drop(p, trace.Prerouting, r)
			return false
		}
	}
	if !b.passes(p, rule.Raw, trace.Prerouting) {
		return false
	}
	g.track(p)
	if !b.passes(p, rule.Mangle, trace.Prerouting) {
		return false
	}
	p.out = b.self
	if !b.passes(p, rule.Mangle, trace.Forward) || !b.passes(p, rule.Filter, trace.Forward) ||
		!b.passes(p, rule.Mangle, trace.Postrouting) {
		return false
	}
	if r := g.enter(p); r != trace.NoReason {
		g.drop(p, trace.Forward, r)
		return false
	}
	return true
}

// passes asks a table's rules. Who is refused is sent no word: the gateway may have no address from which it could.
func (b *Bridge) passes(p *packet, table rule.Table, hook trace.Hook) bool {
	if table != rule.Filter && b.gw.rulesFor(p).Pass(table, hook, len(p.ip)) {
		return true
	}
	d := b.gw.evaluate(p, table, hook)
	if r := d.Reason(); r != trace.NoReason {
		b.gw.dropBy(p, hook, r, d)
		return false
	}
	if table == rule.Filter && p.j.On() {
		e := p.event(hook, trace.Accept, trace.NoNote)
		e.Rule, e.Chain, e.Target = d.Text, d.Chain, d.Target
		p.emit(e)
	}
	return true
}

// input takes a packet that ends at the gateway: netfilter's INPUT, and then what a host does with it.
func (g *Gateway) input(p *packet) {
	if !g.filter(p, rule.Mangle, trace.Input) || !g.filter(p, rule.Filter, trace.Input) || !g.translateSource(p, trace.Input) || !g.confirm(p, trace.Input) {
		return
	}
	switch {
	case p.ip.IsLinkSignal():
		g.inputLink(p)
		return
	case p.toMany() && !p.answersGroup():
		g.drop(p, trace.Input, trace.NoGroup) // RFC 1122 3.2.2: what was said to all is not answered
		return
	case g.deliver(p):
		return
	case p.ip.IsICMP():
		g.inputICMP(p)
		return
	}
	switch p.ip.Proto() {
	case frame.ProtoTCP:
		g.drop(p, trace.Input, trace.NoSocket)
		g.reset(p)
	case frame.ProtoUDP:
		g.refuse(p, trace.Input, trace.NoSocket)
	default:
		g.refuse(p, trace.Input, trace.NoProto)
	}
}

// answersGroup reports whether a packet to a group is one that each of it answers: a ping, in IPv6 (RFC 4443 4.2).
func (p *packet) answersGroup() bool {
	dst := p.ip.Dst()
	return !p.ip.Is4() && p.ip.IsICMPQuestion() && p.in != nil && (dst == frame.AllNodes || dst == frame.AllRouters)
}

// inputICMP answers an echo request (RFC 1122 3.2.2.6, RFC 4443 4.2). The reply is made of the request's own bytes.
func (g *Gateway) inputICMP(p *packet) {
	m := frame.ICMP(p.ip.Payload())
	if t := m.Type(); t != frame.ICMPEcho && t != frame.ICMPv6Echo || !p.ip.IsICMPQuestion() {
		g.drop(p, trace.Input, trace.Unanswered)
		return
	}
	if !g.errors.allowEcho(p.now.Sub(g.epoch)) {
		g.drop(p, trace.Input, trace.Limited)
		return
	}
	if p.j.On() {
		e := p.event(trace.Input, trace.Consume, trace.EchoAnswered)
		e.Addr = p.ip.Dst()
		p.emit(e)
	}
	from, to := p.ip.Dst(), p.ip.Src()
	if p.answersGroup() {
		from = p.in.sourceFor(to, to)
	}
	p.ip.SetAddrs(from, to)
	p.ip.SetTTL(defaultTTL)
	p.ip.SetChecksum()
	if p.ip.TurnEcho(); from != p.tuple.Dst() {
		p.ip.SetICMPChecksum()
	}
	g.send(&packet{f: p.f, now: p.now, link: p.in})
}

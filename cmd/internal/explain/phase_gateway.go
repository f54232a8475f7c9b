package explain

import (
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// interfaces names what -i and -o of a rule would see.
func (b *builder) interfaces(h trace.Hook) (text string) {
	if b.enters != "" && (h == trace.Prerouting || h == trace.Input || h == trace.Forward) {
		text = b.in(", in by %s", b.enters)
	}
	if b.leaves != "" && (h == trace.Forward || h == trace.Output || h == trace.Postrouting) {
		text += b.in(", out by %s", b.leaves)
	}
	return text
}

// routed is how the gateway finds the way, and the next hop.
func (b *builder) routed(p *api.Phase, e *trace.Event) {
	p.Found = e.Text(b.in)
	switch {
	case e.Hook == trace.Neighbor:
		p.Looked = b.in("%v in the gateway's neighbour table", e.Addr)
	case e.Addr.IsValid():
		p.Looked = b.in("%v in the gateway's routes", e.Addr)
	}
	if e.Hook == trace.Route && e.Prefix.IsValid() && e.Verdict != trace.Drop {
		p.Found = fmt.Sprintf("%s dev %s: %s", routeText(e.Prefix), e.Port, e.Text(b.in))
	}
}

func routeText(p netip.Prefix) string {
	if p.Bits() == 0 {
		return "default"
	}
	return p.String()
}

// filtered is what rules and the connection table say.
func (b *builder) filtered(p *api.Phase, e *trace.Event) {
	table := "filter"
	switch {
	case e.Hook == trace.Prerouting, e.Hook == trace.Postrouting, e.Verdict == trace.Rewrite:
		table = "nat"
	}
	if p.Rule != nil && p.Rule.Table != "" {
		table = p.Rule.Table
	}
	if e.Before.Proto != 0 {
		p.Looked = fmt.Sprintf("%s %s: %s", table, chainOf(e.Hook), e.Ends(e.Before))
	}
	connection := b.in("connection %d", e.Conn)
	switch {
	case e.Note == trace.MSSLimited:
		p.Changed = b.in("the maximum segment size: %d becomes %d", e.Size, e.Count)
	case e.Verdict == trace.Rewrite:
		p.Before, p.After = e.Ends(e.Before), e.Ends(e.After)
		p.Changed = e.Change(b.in)
		if p.Rule == nil {
			p.Found = e.Text(b.in)
			p.Looked = b.in("the connection table: %s", e.Ends(e.Before))
			p.Found = b.in("the answer of %s, which was translated", connection)
			if e.Note == trace.SameTranslation {
				p.Found = b.in("%s, translated as its first packet was", connection)
			}
		}
		if e.Note == trace.ConnNew {
			p.Changed += b.in("; %s begins", connection)
		}
	case e.Note == trace.NoRuleChanged:
		p.Found = b.in("no rule changes it")
		if e.Hook == trace.Prerouting || e.Hook == trace.Output {
			p.Changed = b.in("%s begins", connection)
		}
	case e.Note == trace.EchoAnswered, e.Note == trace.Originated, p.Rule == nil:
		p.Looked, p.Found = "", e.Text(b.in)
		if e.Conn != 0 && e.Hook == trace.Prerouting {
			p.Looked = b.in("the connection table: %s", e.Ends(e.Before))
		}
	}
	if packet, ok := e.IPv4(); ok && e.Hook == trace.Forward && e.Verdict == trace.Accept && e.Note == trace.NoNote {
		p.Changed = b.in("ttl %d becomes %d", int(packet.TTL())+1, packet.TTL())
	}
}

// chainOf is the built-in chain of a hook.
func chainOf(h trace.Hook) string {
	return map[trace.Hook]string{trace.Prerouting: "PREROUTING", trace.Input: "INPUT", trace.Forward: "FORWARD",
		trace.Output: "OUTPUT", trace.Postrouting: "POSTROUTING"}[h]
}

// arpKey is one question of ARP: who asks on which network, for whom.
type arpKey struct {
	where  string
	target netip.Addr
}

// arp sums an exchange up in one phase: the question to everyone, and the answer when it comes.
func (b *builder) arp(s *step) {
	eth, _ := frame.ParseEthernet(s.Frame.Data)
	a, ok := frame.ParseARP(eth.Payload())
	if !ok {
		return
	}
	if b.asked == nil {
		b.asked = map[arpKey]int{}
	}
	asker, key := b.nameOf(a.SenderIP()), arpKey{target: s.arp}
	if a.Op() == frame.ARPReply {
		asker = b.nameOf(a.TargetIP())
	}
	key.where = asker
	at, known := b.asked[key]
	if !known {
		at = len(b.all)
		b.asked[key] = at
		b.add(api.Phase{Way: s.way, Where: asker, Type: "arp", Result: api.ResultDrop, Looked: b.in("who has %v? everyone is asked", s.arp),
			Found: b.in("nobody answers"), Reason: trace.NeighFailed.String()})
	}
	p := &b.all[at]
	switch {
	case s.Verdict == trace.Drop && p.Result == api.ResultDrop && b.matters(s):
		p.Reason, p.Found = s.Reason.String(), b.in(s.Reason.Sentence())
	case s.Hook == trace.Encap && s.Verdict != trace.Drop && p.Result == api.ResultDrop && !b.world.Plays(s.Outer.Dst):
		p.Result, p.Reason = api.ResultUnknown, ""
		p.Found = b.in("nobody here; it goes through the tunnel %s as well, and whether anybody answers there is not known", s.Port)
	case a.Op() == frame.ARPReply && (s.Hook == trace.Egress && s.Verdict != trace.Drop || asker == "gateway" && s.Hook == trace.ARP):
		p.Result, p.Reason = api.ResultAllow, ""
		p.Found = b.in("%s is at %s: %s answers", s.arp.String(), a.SenderMAC().String(), b.nameOf(s.arp))
		p.Changed = b.in("%s notes it", asker)
	}
}

// forgetAfterwards leaves out what is asked and answered when the story is over: neighbours make sure of each other later.
// A question without an answer is how a story can end.
func (b *builder) forgetAfterwards() {
	for n := len(b.all); n > 1 && b.all[n-1].Type == "arp" && b.all[n-1].Result == api.ResultAllow; n-- {
		b.all = b.all[:n-1]
	}
}

// nameOf is what people call whoever has an address.
func (t *trial) nameOf(a netip.Addr) string {
	if h, _ := t.lab.owner(a); h != nil {
		return h.Name
	}
	if t.lab.isGateway(a) {
		return "gateway"
	}
	return a.String()
}

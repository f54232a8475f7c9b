package explain

import (
	"net/netip"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

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
		b.add(api.Phase{Way: s.way, Where: asker, Type: "arp", Result: api.ResultDrop, Looked: "who has " + s.arp.String() + "? everyone is asked",
			Found: "nobody answers", Reason: trace.NeighFailed.String()})
	}
	p := &b.all[at]
	switch {
	case s.Verdict == trace.Drop && p.Result == api.ResultDrop && b.matters(s):
		p.Reason, p.Found = s.Reason.String(), s.Reason.Sentence()
	case a.Op() == frame.ARPReply && (s.Hook == trace.Egress && s.Verdict != trace.Drop || asker == "gateway" && s.Hook == trace.ARP):
		p.Result, p.Reason = api.ResultAllow, ""
		p.Found = s.arp.String() + " is at " + a.SenderMAC().String() + ": " + b.nameOf(s.arp) + " answers"
		p.Changed = asker + " notes it"
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

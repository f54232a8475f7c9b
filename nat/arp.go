package nat

import (
	"uswitch/arp"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// arp does what the gateway does with an ARP packet: answers for its own address on that network and no other, learns,
// and sends what has waited for the sender.
func (g *Gateway) arp(p *packet, e frame.Ethernet) {
	in := p.in
	if a, ok := frame.ParseARP(e.Payload()); ok && !in.Addr().IsValid() {
		if p.j.On() {
			p.emitARP(arp.NotMine, false, false, a)
		}
		return
	}
	out := in.neighbors.Input(e.Payload(), e.Src(), in.self(), p.now)
	if r, bad := arpReasons[out.Case]; bad {
		g.drop(p, trace.ARP, r)
		return
	}
	a, _ := frame.ParseARP(e.Payload())
	sender, asked, mac := a.SenderIP(), a.TargetIP(), a.SenderMAC() // a is about to be written over
	if p.j.On() {
		p.emitARP(out.Case, out.Learned, out.Defend, a)
	}
	switch out.Case {
	case arp.Asked, arp.Probed:
		// The answer is written over the question (RFC 826): same bytes, fields swapped.
		reply := frame.Frame{Data: p.f.Data[:frame.EthernetHeader+frame.ARPLength]}
		frame.Ethernet(reply.Data).SetHeader(mac, in.self().MAC, frame.TypeARP)
		frame.PutARP(reply.Data[frame.EthernetHeader:], frame.ARPReply, in.self().MAC, asked, mac, sender)
		in.sendFrame(reply, trace.Originated, sender, mac, p.now)
	case arp.Conflict:
		if out.Defend {
			in.announceAddr(sender, p.now)
		}
	}
	g.release(out.Held, mac, p.now)
}

// arpReasons are why an ARP packet is dropped.
var arpReasons = map[arp.Case]trace.Reason{arp.Bad: trace.BadARP, arp.Disguised: trace.ARPSender, arp.Foreign: trace.ARPForeign,
	arp.Echoed: trace.ARPLoop}

// emitARP tells what the gateway made of an ARP packet.
func (p *packet) emitARP(c arp.Case, learned, defended bool, a frame.ARP) {
	event := func(v trace.Verdict, n trace.Note) trace.Event {
		e := p.event(trace.ARP, v, n)
		e.Port, e.MAC, e.Addr = p.in.name, a.SenderMAC(), a.SenderIP()
		return e
	}
	switch {
	case learned && c == arp.Told:
		p.emit(event(trace.Consume, trace.ARPLearned))
		return
	case learned:
		p.emit(event(trace.Accept, trace.ARPLearned))
	}
	notes := map[arp.Case]trace.Note{arp.NotMine: trace.ARPNotMine, arp.Asked: trace.ARPAnswered,
		arp.Probed: trace.ARPProbed, arp.Told: trace.ARPHeard, arp.Unsolicited: trace.ARPIgnored, arp.Conflict: trace.ARPConflict}
	note := notes[c]
	if defended {
		note = trace.ARPDefended
	}
	e := event(trace.Consume, note)
	if c == arp.NotMine || c == arp.Asked || c == arp.Probed || c == arp.Conflict {
		e.Addr = a.TargetIP()
	}
	p.emit(e)
}

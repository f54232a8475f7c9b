package ask

import (
	"fmt"
	"net/netip"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// phases turns the steps into what a person reads, one phase a step. What the hosts do, and what is said by ARP, is told
// where it happens.
func (f *flow) phases() []Phase {
	b := builder{flow: f}
	b.asker()
	for i := range f.steps {
		if s := &f.steps[i]; s.arp.IsValid() {
			b.arp(s)
		} else {
			b.step(s)
			b.arrived(s)
		}
	}
	b.noAnswer()
	for i := range b.all {
		b.all[i].Number = i + 1
	}
	return b.all
}

// builder collects phases.
type builder struct {
	*flow
	all     []Phase
	asked   map[arpKey]int // the phases of ARP questions
	arrival bool           // the question has reached a host or the outside
	in, out string         // the gateway's interfaces of the packet that is told of
}

func (b *builder) add(p Phase) { b.all = append(b.all, p) }

// step adds a step of the switch or the gateway.
func (b *builder) step(s *step) {
	e := &s.Event
	where, what := e.Step()
	p := Phase{Way: s.way, Where: where, Type: what, Result: Allow, Rule: ruleOf(b.world.Gateway().Rules(), e)}
	switch e.Verdict {
	case trace.Drop:
		p.Result, p.Reason = Drop, e.Reason.String()
	case trace.Queue:
		p.Result = Waits
	case trace.Consume:
		p.Result = Answers
	}
	switch e.Hook {
	case trace.Ingress, trace.Egress:
		b.cable(&p, e)
	case trace.Learn, trace.Bridge:
		bridged(&p, e)
	case trace.Route, trace.Neighbor:
		routed(&p, e)
	default:
		filtered(&p, e)
		if p.Looked != "" {
			p.Looked += b.interfaces(e.Hook)
		}
	}
	switch {
	case e.Hook == trace.Ingress:
		b.in, b.out = e.Where, ""
	case e.Hook == trace.Output:
		b.in, b.out = "", ""
	case e.Hook == trace.Route:
		b.out = e.Port
	}
	if p.Result == Drop {
		p.Found = e.Reason.Sentence()
	}
	b.add(p)
}

// interfaces names what -i and -o of a rule would see.
func (b *builder) interfaces(h trace.Hook) (text string) {
	if b.in != "" && (h == trace.Prerouting || h == trace.Input || h == trace.Forward) {
		text = ", in by " + b.in
	}
	if b.out != "" && (h == trace.Forward || h == trace.Output || h == trace.Postrouting) {
		text += ", out by " + b.out
	}
	return text
}

// cable is a frame or packet that comes in or goes out.
func (b *builder) cable(p *Phase, e *trace.Event) {
	p.Found = e.Text()
	if _, ok := b.world.Switch(e.Where); !ok || e.Port == "" {
		return
	}
	p.Looked = "the port " + e.Port + " of " + e.Where
	if e.Hook == trace.Egress && e.Verdict != trace.Drop {
		p.Found = "delivered to " + e.Port
	}
}

// bridged is what the switch does.
func bridged(p *Phase, e *trace.Event) {
	p.Found = e.Text()
	if e.Hook == trace.Learn {
		p.Looked = fmt.Sprintf("the sender's address in the forwarding table of %s", e.Where)
		switch e.Note {
		case trace.Learned:
			p.Found, p.Changed = "not there yet", e.Text()
		case trace.Moved:
			p.Found, p.Changed = "there, behind "+e.From, e.Text()
		}
		return
	}
	if eth, ok := frame.ParseEthernet(e.Frame.Data); ok && !e.IP {
		p.Looked = fmt.Sprintf("%v in the forwarding table of %s", eth.Dst(), e.Where)
	}
}

// routed is how the gateway finds the way, and the next hop.
func routed(p *Phase, e *trace.Event) {
	p.Found = e.Text()
	switch {
	case e.Hook == trace.Neighbor:
		p.Looked = fmt.Sprintf("%v in the gateway's neighbour table", e.Addr)
	case e.Addr.IsValid():
		p.Looked = fmt.Sprintf("%v in the gateway's routes", e.Addr)
	}
	if e.Hook == trace.Route && e.Prefix.IsValid() && e.Verdict != trace.Drop {
		p.Found = routeText(e.Prefix) + " dev " + e.Port + ": " + e.Text()
	}
}

func routeText(p netip.Prefix) string {
	if p.Bits() == 0 {
		return "default"
	}
	return p.String()
}

// filtered is what rules and the connection table say.
func filtered(p *Phase, e *trace.Event) {
	table := "filter"
	switch {
	case e.Hook == trace.Prerouting, e.Hook == trace.Postrouting, e.Verdict == trace.Rewrite:
		table = "nat"
	}
	if p.Rule != nil && p.Rule.Table != "" {
		table = p.Rule.Table
	}
	if e.Before.Proto != 0 {
		p.Looked = fmt.Sprintf("%s %s: %s", table, chainOf(e.Hook), tupleText(e.Before))
	}
	connection := fmt.Sprintf("connection %d", e.Conn)
	switch {
	case e.Verdict == trace.Rewrite:
		p.Before, p.After = tupleText(e.Before), tupleText(e.After)
		p.Changed = changeText(e.Before, e.After)
		if p.Rule == nil {
			p.Found = e.Text()
			p.Looked = "the connection table: " + tupleText(e.Before)
			p.Found = "the answer of " + connection + ", which was translated"
			if e.Note == trace.SameTranslation {
				p.Found = connection + ", translated as its first packet was"
			}
		}
		if e.Note == trace.ConnNew {
			p.Changed += "; " + connection + " begins"
		}
	case e.Note == trace.NoRuleChanged:
		p.Found = "no rule changes it"
		if e.Hook == trace.Prerouting || e.Hook == trace.Output {
			p.Changed = connection + " begins"
		}
	case e.Note == trace.EchoAnswered, e.Note == trace.Originated, p.Rule == nil:
		p.Looked, p.Found = "", e.Text()
		if e.Conn != 0 && e.Hook == trace.Prerouting {
			p.Looked = "the connection table: " + tupleText(e.Before)
		}
	}
	if packet, ok := packetOf(e); ok && e.Hook == trace.Forward && e.Verdict == trace.Accept {
		p.Changed = fmt.Sprintf("ttl %d becomes %d", int(packet.TTL())+1, packet.TTL())
	}
}

// chainOf is the built-in chain of a hook.
func chainOf(h trace.Hook) string {
	return map[trace.Hook]string{trace.Prerouting: "PREROUTING", trace.Input: "INPUT", trace.Forward: "FORWARD",
		trace.Output: "OUTPUT", trace.Postrouting: "POSTROUTING"}[h]
}

// tupleText is both ends of a packet: 11.11.11.2 id 7 > 8.8.8.8.
func tupleText(t frame.Tuple) string {
	if t.Proto == frame.ProtoICMP {
		return t.Source() + " > " + t.Dst().String()
	}
	return t.Source() + " > " + t.Destination()
}

// changeText shows the ends that a translation changes.
func changeText(before, after frame.Tuple) string {
	src, dst := before.Source() != after.Source(), before.Destination() != after.Destination()
	if before.Proto == frame.ProtoICMP {
		dst = before.DstIP != after.DstIP
		src = before.SrcIP != after.SrcIP || !dst && src
	}
	switch {
	case src && dst:
		return tupleText(before) + " becomes " + tupleText(after)
	case src:
		return before.Source() + " becomes " + after.Source()
	}
	return before.Destination() + " becomes " + after.Destination()
}

package explain

import (
	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// phases turns the steps into what a person reads, one phase a step. What the hosts do, and what is said by ARP, is told
// where it happens.
func (f *flow) phases() []api.Phase {
	b := builder{flow: f, told: map[toldKey]bool{}}
	next := 0
	for i := range f.steps {
		for ; next < len(f.inner) && f.inner[next].at <= i; next++ {
			b.inside(&f.inner[next])
		}
		if s := &f.steps[i]; s.arp.IsValid() {
			b.arp(s)
		} else {
			b.step(s)
			b.arrived(s)
		}
	}
	for ; next < len(f.inner); next++ {
		b.inside(&f.inner[next])
	}
	b.forgetAfterwards()
	b.noAnswer()
	for i := range b.all {
		b.all[i].Number = i + 1
	}
	return b.all
}

// builder collects phases.
type builder struct {
	*flow
	all            []api.Phase
	asked          map[arpKey]int // the phases of ARP questions
	arrival        bool           // the question has reached a host or the outside
	told           map[toldKey]bool
	enters, leaves string // the gateway's interfaces of the packet that is told of
}

func (b *builder) add(p api.Phase) { b.all = append(b.all, p) }

// step adds a step of the switch or the gateway.
func (b *builder) step(s *step) {
	e := &s.Event
	where, what := e.Step()
	p := api.Phase{Way: s.way, Where: where, Type: what, Result: api.ResultAllow, Rule: ruleOf(b.world.Gateway().Rules(), e)}
	switch e.Verdict {
	case trace.Drop:
		p.Result, p.Reason = api.ResultDrop, e.Reason.String()
	case trace.Queue:
		p.Result = api.ResultWait
	case trace.Consume:
		p.Result = api.ResultAnswer
	}
	switch e.Hook {
	case trace.Ingress, trace.Egress:
		b.cable(&p, e)
	case trace.Decap, trace.Encap:
		p.Looked, p.Found = b.in("%v in the table of the tunnel %s", e.MAC, e.Port), e.Text(b.in)
	case trace.Learn, trace.Bridge:
		b.bridged(&p, e)
	case trace.Route, trace.Neighbor:
		b.routed(&p, e)
	default:
		b.filtered(&p, e)
		if p.Looked != "" {
			p.Looked += b.interfaces(e.Hook)
		}
	}
	switch {
	case e.Hook == trace.Ingress:
		b.enters, b.leaves = e.Where, ""
	case e.Hook == trace.Output:
		b.enters, b.leaves = "", ""
	case e.Hook == trace.Route:
		b.leaves = e.Port
	}
	if p.Result == api.ResultDrop {
		p.Found = b.in(e.Reason.Sentence())
	}
	b.add(p)
}

// cable is a frame or packet that comes in or goes out.
func (b *builder) cable(p *api.Phase, e *trace.Event) {
	p.Found = e.Text(b.in)
	if _, ok := b.world.Switch(e.Where); !ok || e.Port == "" {
		return
	}
	p.Looked = b.in("the port %s of %s", e.Port, e.Where)
	if e.Hook == trace.Egress && e.Verdict != trace.Drop {
		p.Found = b.in("delivered to %s", e.Port)
	}
}

// bridged is what the switch does.
func (b *builder) bridged(p *api.Phase, e *trace.Event) {
	p.Found = e.Text(b.in)
	if e.Hook == trace.Learn {
		p.Looked = b.in("the sender's address in the forwarding table of %s", e.Where)
		switch e.Note {
		case trace.Learned:
			p.Found, p.Changed = b.in("not there yet"), e.Text(b.in)
		case trace.Moved:
			p.Found, p.Changed = b.in("there, behind %s", e.From), e.Text(b.in)
		case trace.AddressConflict:
			p.Looked = b.in("what hosts of %s have said of their addresses", e.Where)
		}
		return
	}
	if eth, ok := frame.ParseEthernet(e.Frame.Data); ok && !e.IP {
		p.Looked = b.in("%v in the forwarding table of %s", eth.Dst(), e.Where)
	}
}

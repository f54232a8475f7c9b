package session

import (
	"context"
	"fmt"
	"slices"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/simhost"
	"uswitch/cmd/internal/tools/ping"
	"uswitch/sim"
	"uswitch/switch/trace"
)

// A simulated lab has one of two times.
//
//	virtual       a lab that ends by itself                    takes no time, and prints the same on every run; nobody can be
//	                                                           attached to it, and so it has neither lock nor socket
//	              one that is there for a command, a lesson    the same, whatever the command says to it; between what is said
//	                                                           time stands still
//	this machine's  one that stays, or is in the background    people come and go

// virtual reports whether a run's time is virtual, and whether nobody can be attached to its lab.
func (o *Options) virtual() (virtual, alone bool) {
	switch {
	case !o.Simulated || o.Live || o.InBackground || o.Open != nil:
		return false, false
	case len(o.Command) > 0 || o.Beside != nil:
		return true, false
	}
	alone = endsByItself(o.Plan)
	return alone, alone
}

// endsByItself reports whether every command that a lab's end waits for ends by itself, and none waits for what is real.
func endsByItself(p *plan.Plan) bool {
	if stays(p) {
		return false
	}
	real := p.Uplink.Kind == plan.UplinkHost || p.Uplink.Kind == plan.UplinkNetns
	for _, h := range p.Hosts {
		if h.Passive {
			continue
		}
		if simhost.Endless(h.Command) || real && !pings(h.Command) {
			return false
		}
	}
	return true
}

// pings reports whether a command is uswitch's own ping, which takes the simulated internet for the real one: it answers as well.
func pings(argv []string) bool {
	if len(argv) < 2 || argv[0] != "uswitch" || argv[1] != "ping" {
		return false
	}
	_, err := ping.Parse(argv[2:], nil)
	return err == nil
}

// InMemory returns the plan of a lab that has nothing of this machine, and says what of it is done in another way.
func InMemory(p *plan.Plan) (_ *plan.Plan, differences []string) {
	own := *p
	own.Hosts = slices.Clone(p.Hosts)
	switch p.Uplink.Kind {
	case plan.UplinkHost, plan.UplinkNetns:
		differences = append(differences, fmt.Sprintf("uplink %s: the simulator has an internet of its own instead", p.Uplink.Kind))
		own.Uplink = plan.Uplink{Kind: plan.UplinkSim}
	}
	for i := range own.Hosts {
		if h := &own.Hosts[i]; len(h.Ports) > 0 {
			differences = append(differences, h.Name+": ports are not published: nobody outside of the simulator can come in")
			h.Ports = nil
		}
	}
	return &own, differences
}

// Simulable reports whether a simulated lab can take a plan's place: whether it keeps to itself, and needs no namespace of this
// machine's.
func Simulable(p *plan.Plan) bool {
	return p.Uplink.Kind != plan.UplinkNetns && !slices.ContainsFunc(p.Hosts, func(h plan.Host) bool { return h.Netns != "" || h.Mode == plan.ModeHost })
}

// follow hands a ring's events to sink as time passes on a Loop, each before anything else happens, until stop is called. It flushes
// the sink then. A sink that fails is told of once, and gets nothing more.
func follow(l *sim.Loop, ring *trace.Ring, sink trace.Sink, failed func(error)) (stop func()) {
	var event trace.Event
	var broken error
	drain := func() error {
		for {
			lost, ok := ring.TryNext(&event)
			if !ok {
				return nil
			}
			if lost > 0 {
				if err := sink.Lost(lost); err != nil {
					return err
				}
			}
			if err := sink.Event(&event); err != nil {
				return err
			}
		}
	}
	look := func(now time.Time) {
		if broken != nil {
			return
		}
		if broken = drain(); broken == nil {
			broken = sink.Idle(now)
		}
		if broken != nil {
			failed(broken)
		}
	}
	remove := l.OnStep(look)
	return func() {
		remove()
		if broken != nil {
			return
		}
		err := drain()
		if err == nil {
			err = sink.Flush()
		}
		if err != nil {
			failed(err)
		}
	}
}

// stay runs the lab's commands beside what it is there for, until what it returns is called, and returns when they have begun.
func (s *session) stay() (end func()) {
	ctx, stop := context.WithCancel(context.Background())
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		s.world.Stay(ctx, func() { close(begun) })
	}()
	<-begun
	return func() {
		stop()
		<-ended
	}
}

package nat

import (
	"context"
	"time"

	"uswitch/switch/trace"
)

// Tick does what time has made due: asks neighbours again or gives them up, forgets connections and fragments, announces
// addresses. It returns when to call it again; the zero time means not before something happens. Run calls it in a lab of
// real time, a simulator by its own clock.
func (g *Gateway) Tick(now time.Time) (next time.Time) {
	g.deadline.Store(0)
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, i := range g.view.Load().interfaces {
		if i.segment != nil {
			sooner(g.announceTick(i, now))
			sooner(g.neighborTick(i, now))
			sooner(g.advertTick(i, now))
		}
	}
	sooner(g.conns.Sweep(now))
	g.releaseUnbound()
	late, due := g.frags.expire(now)
	g.dropFragments(late, now)
	sooner(due)
	if !next.IsZero() {
		g.bring(next)
	}
	return next
}

func (g *Gateway) neighborTick(i *Interface, now time.Time) time.Time {
	actions, next := i.neighbors.Tick(now)
	for _, a := range actions {
		if !a.GaveUp {
			g.ask(i, a.Addr, a.To, now)
		}
		for _, h := range a.Held {
			g.dropHeld(h, trace.Neighbor, trace.NeighFailed, now)
		}
	}
	return next
}

// announceInterval is RFC 5227's ANNOUNCE_INTERVAL.
const announceInterval = 2 * time.Second

func (g *Gateway) announceTick(i *Interface, now time.Time) time.Time {
	left := i.announces.Load()
	if left == 0 {
		return time.Time{}
	}
	if due := g.epoch.Add(time.Duration(i.announce.Load())); due.After(now) {
		return due
	}
	if s, ok := i.segment.(interface{ Empty() bool }); ok && s.Empty() {
		i.announces.Store(0) // there is nobody who could hear it, or have a wrong entry
		return time.Time{}
	}
	i.announces.Store(left - 1)
	for _, own := range i.allAddrs() {
		i.announceAddr(own.Addr(), now)
	}
	if left == 1 {
		return time.Time{}
	}
	i.announce.Store(int64(now.Add(announceInterval).Sub(g.epoch)))
	return now.Add(announceInterval)
}

// Run calls Tick whenever something is due, until ctx ends. A simulator calls Tick itself.
func (g *Gateway) Run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if next := g.tick(time.Now()); next.IsZero() {
			timer.Reset(time.Hour)
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-g.wake:
		}
	}
}

// faultPause is how long after a panic of Tick its work is tried again.
const faultPause = time.Second

// tick is Tick for Run: a panic costs what was to be done after it, until the next time.
func (g *Gateway) tick(now time.Time) (next time.Time) {
	defer g.tracer.Contain(trace.GatewayFault, "the gateway's timer")
	next = now.Add(faultPause)
	next = g.Tick(now)
	return next
}

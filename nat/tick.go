package nat

import (
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

// arm makes sure that Tick is called at t or before.
func (g *Gateway) arm(t time.Time) {
	if g.bring(t) {
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
}

// bring brings the deadline forward to t, and returns false if it is not later anyway.
func (g *Gateway) bring(t time.Time) bool {
	due := max(int64(t.Sub(g.epoch)), 1)
	for {
		before := g.deadline.Load()
		if before != 0 && before <= due {
			return false
		}
		if g.deadline.CompareAndSwap(before, due) {
			return true
		}
	}
}

// Deadline returns when Tick has something to do, the zero time if nothing is due. For a simulator, which looks after
// each step.
func (g *Gateway) Deadline() time.Time {
	if due := g.deadline.Load(); due != 0 {
		return g.epoch.Add(time.Duration(due))
	}
	return time.Time{}
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
	for _, own := range i.Addrs() {
		i.announceAddr(own.Addr(), now)
	}
	if left == 1 {
		return time.Time{}
	}
	i.announce.Store(int64(now.Add(announceInterval).Sub(g.epoch)))
	return now.Add(announceInterval)
}

package nat

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"uswitch/nat/route"
	"uswitch/switch/trace"
)

// ForkConfig says what surrounds a forked gateway. All fields are required.
type ForkConfig struct {
	Tracer *trace.Tracer
	Random *rand.Rand // as in Config
	Now    time.Time  // on the original's clock
	// Segment and Uplink return what the twin of an interface stands on; the one is called for networks, the other for
	// uplinks, while no lock is held.
	Segment func(*Interface) Segment
	Uplink  func(*Interface) Uplink
}

// Fork returns a gateway that knows what g knows at this moment: interfaces, routes, rules, neighbours, connections with
// their translations and ids, how far each limit is used up. It shares nothing with g, so that a question can be tried out
// on it. Interfaces count from zero; packets that wait for a neighbour or for their fragments belong to g and do not come
// along. It may be called while packets move; each table is then copied as it is at its own moment.
func (g *Gateway) Fork(c ForkConfig) *Gateway {
	f := &Gateway{tracer: c.Tracer, epoch: g.epoch, rules: g.rules.Fork(), rules6: g.rules6.Fork(), rand: c.Random, wake: make(chan struct{}, 1)}
	f.ipID.Store(g.ipID.Load())
	g.mu.Lock()
	f.names = slices.Clone(g.names)
	g.mu.Unlock()
	g.errors.fork(&f.errors)
	f.frags.limit = g.frags.limit
	v := g.view.Load()
	twins := map[*Interface]*Interface{}
	next := &view{local: map[netip.Addr]*Interface{}, forwarding: v.forwarding, forwarding6: v.forwarding6, sockets: v.forkSockets()}
	for _, i := range v.interfaces {
		twins[i] = i.fork(f, c)
		next.interfaces = append(next.interfaces, twins[i])
	}
	for a, i := range v.local {
		next.local[a] = twins[i]
	}
	for _, r := range v.routes.Routes() {
		// The table has taken this very route before.
		next.routes, _ = next.routes.With(route.Route[*Interface]{Prefix: r.Prefix, Via: r.Via, Dev: twins[r.Dev]})
	}
	f.view.Store(next)
	f.conns = g.conns.Fork(func(bound any) any {
		if i, ok := bound.(*Interface); ok {
			return twins[i]
		}
		return nil
	})
	if f.deadline.Store(g.deadline.Load()); f.deadline.Load() == 0 {
		f.arm(c.Now)
	}
	return f
}

// fork returns the twin of an interface on another gateway.
func (i *Interface) fork(g *Gateway, c ForkConfig) *Interface {
	twin := &Interface{gw: g, number: i.number, config: i.config, name: i.name, neighbors: i.neighbors.Fork()}
	twin.own.Store(i.own.Load())
	twin.machine = i.machine
	if i.segment != nil {
		twin.segment = c.Segment(i)
	} else {
		twin.uplink = c.Uplink(i)
		twin.binder, _ = twin.uplink.(Binder)
	}
	twin.config.Segment, twin.config.Uplink = twin.segment, twin.uplink
	twin.advert.Store(i.advert.Load())
	twin.adverts.sent, twin.adverts.last, twin.adverts.due = i.adverts.times()
	twin.announces.Store(i.announces.Load())
	twin.announce.Store(i.announce.Load())
	return twin
}

// fork copies how far the limits are used up.
func (l *errorLimit) fork(f *errorLimit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.all, f.outside, f.echo = l.all, l.outside, l.echo
	for key, b := range l.hosts {
		if f.hosts == nil {
			f.hosts = map[errorKey]*bucket{}
		}
		copied := *b
		f.hosts[key] = &copied
	}
}

package nat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/arp"
	"uswitch/nat/conntrack"
	"uswitch/nat/route"
	"uswitch/nat/rule"
	"uswitch/switch/trace"
)

// Config describes a gateway. The zero values of the optional fields mean the defaults.
type Config struct {
	Tracer   *trace.Tracer // required
	Epoch    time.Time     // required: from which ages are counted, on the same clock as Input's now
	Rules    *rule.Tables  // required
	Random   *rand.Rand    // required: ports of MASQUERADE --random and the ids of packets; used by one caller at a time
	MaxConns int           // conntrack.DefaultMaxConns
	// FragmentMemory bounds the memory of packets that wait for their fragments, in bytes: DefaultFragmentMemory.
	FragmentMemory int
	NoForwarding   bool // ip_forward=0
}

// Gateway routes, filters and translates between its interfaces. See the package comment.
type Gateway struct {
	tracer *trace.Tracer
	epoch  time.Time
	rules  *rule.Tables
	conns  *conntrack.Table
	frags  reassembly
	errors errorLimit
	forged atomic.Uint32 // the last IP id that was used

	view   atomic.Pointer[view]
	mu     sync.Mutex // serialises changes of the view
	names  []string   // of interfaces that there ever were, by their number; guarded by mu
	rand   *rand.Rand // guarded by randMu
	randMu sync.Mutex

	deadline atomic.Int64  // when Tick has something to do, in nanoseconds since the epoch; 0: never
	wake     chan struct{} // tells Run that deadline has come nearer
}

// view is an immutable picture of where packets can go.
type view struct {
	interfaces []*Interface
	local      map[netip.Addr]*Interface // the gateway's own addresses
	routes     route.Table[*Interface]
	forwarding bool
	sockets    map[socketKey]Socket // of the gateway's own programs
}

// New makes a gateway without interfaces.
func New(c Config) *Gateway {
	g := &Gateway{tracer: c.Tracer, epoch: c.Epoch, rules: c.Rules, rand: c.Random, conns: conntrack.NewTable(c.MaxConns, c.Epoch),
		wake: make(chan struct{}, 1)}
	g.frags.limit = cmp.Or(c.FragmentMemory, DefaultFragmentMemory)
	g.forged.Store(c.Random.Uint32())
	g.view.Store(&view{local: map[netip.Addr]*Interface{}, forwarding: !c.NoForwarding})
	return g
}

// Add puts the gateway onto a network or an uplink at now. The network's own prefix is routed there at once; on a network
// the address is announced twice, two seconds apart (RFC 5227 2.3).
func (g *Gateway) Add(c InterfaceConfig, now time.Time) (*Interface, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.MTU == 0 {
		c.MTU = 1500
	}
	i := &Interface{gw: g, number: g.number(c.Name), config: c, name: c.Name, uplink: c.Uplink, segment: c.Segment,
		neighbors: arp.New[held]()}
	i.own.Store(&arp.Self{MAC: c.MAC, Addr: nobody})
	i.binder, _ = c.Uplink.(Binder)
	if m, ok := c.Uplink.(Machiner); ok {
		i.machine = m.Machine()
	}
	err := g.change(func(v *view) (err error) {
		for _, other := range v.interfaces {
			if other.name == c.Name {
				return fmt.Errorf("gateway: interface %s exists", c.Name)
			}
		}
		v.interfaces = append(slices.Clone(v.interfaces), i)
		return v.setAddrs(i, c.Addr, c.More)
	})
	if err == nil {
		i.announceSoon(now)
	}
	return i, err
}

// number returns the number of interfaces of that name, from 1: what a network's rules see on its bridge comes from the same
// senders as what the gateway is sent.
func (g *Gateway) number(name string) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := slices.Index(g.names, name)
	if n < 0 {
		n = len(g.names)
		g.names = append(g.names, name)
	}
	return uint32(n + 1)
}

func (c *InterfaceConfig) check() error {
	switch {
	case c.Name == "":
		return errors.New("gateway: an interface needs a name")
	case (c.Addr.IsValid() || c.Segment == nil) && !c.Addr.Addr().Is4():
		return fmt.Errorf("gateway: interface %s: address %v: want an IPv4 address with its prefix, as in 11.11.11.1/24",
			c.Name, c.Addr)
	case slices.ContainsFunc(c.More, func(p netip.Prefix) bool { return !c.Addr.IsValid() || !p.Addr().Is4() }):
		return fmt.Errorf("gateway: interface %s: further addresses %v: want IPv4 addresses with their prefixes, behind a first one", c.Name, c.More)
	case (c.Segment == nil) == (c.Uplink == nil):
		return fmt.Errorf("gateway: interface %s: want a segment or an uplink", c.Name)
	case c.Segment != nil && !c.MAC.IsStation():
		return fmt.Errorf("gateway: interface %s: MAC %v cannot be the address of one station", c.Name, c.MAC)
	case c.MTU != 0 && (c.MTU < 68 || c.MTU > 65535):
		return fmt.Errorf("gateway: interface %s: MTU %d: want 68 to 65535", c.Name, c.MTU)
	}
	return nil
}

// Remove takes the gateway off a network or an uplink; its routes go with it. Packets that wait there are dropped.
func (g *Gateway) Remove(i *Interface) {
	_ = g.change(func(v *view) error {
		v.interfaces = slices.DeleteFunc(slices.Clone(v.interfaces), func(o *Interface) bool { return o == i })
		v.withoutAddr(i)
		return nil
	})
	for _, h := range i.neighbors.Flush() {
		g.dropHeld(h, trace.Neighbor, trace.NeighRemoved, h.p.now)
	}
}

// AddRoute sends packets for a prefix to an interface, through the next hop via unless that is invalid.
func (g *Gateway) AddRoute(p netip.Prefix, via netip.Addr, dev *Interface) error {
	if !p.Addr().Is4() {
		return fmt.Errorf("route to %v: want an IPv4 prefix, as in 10.1.0.0/24", p)
	}
	return g.change(func(v *view) (err error) {
		v.routes, err = v.routes.With(route.Route[*Interface]{Prefix: p, Via: via, Dev: dev})
		return err
	})
}

// RemoveRoute forgets the route to exactly that prefix, and reports whether there was one.
func (g *Gateway) RemoveRoute(p netip.Prefix) (ok bool) {
	_ = g.change(func(v *view) error {
		v.routes, ok = v.routes.Without(p)
		return nil
	})
	return ok
}

// SetForwarding is ip_forward.
func (g *Gateway) SetForwarding(on bool) {
	_ = g.change(func(v *view) error {
		v.forwarding = on
		return nil
	})
}

// Forwarding reports ip_forward.
func (g *Gateway) Forwarding() bool { return g.view.Load().forwarding }

// change applies f to a copy of the view and publishes it unless f fails.
func (g *Gateway) change(f func(*view) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := *g.view.Load()
	if err := f(&next); err != nil {
		return err
	}
	g.view.Store(&next)
	return nil
}

// Interfaces returns the legs, in the order in which they were added.
func (g *Gateway) Interfaces() []*Interface { return slices.Clone(g.view.Load().interfaces) }

// Interface finds a leg by its name.
func (g *Gateway) Interface(name string) (*Interface, bool) {
	for _, i := range g.view.Load().interfaces {
		if i.name == name {
			return i, true
		}
	}
	return nil, false
}

// Routes lists the routes in the order of `ip route`.
func (g *Gateway) Routes() []route.Route[*Interface] { return g.view.Load().routes.Routes() }

// Rules returns the tables of rules.
func (g *Gateway) Rules() *rule.Tables { return g.rules }

// Neighbors lists an interface's neighbour table.
func (i *Interface) Neighbors(now time.Time) []arp.Neighbor { return i.neighbors.List(now) }

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

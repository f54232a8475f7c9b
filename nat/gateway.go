package nat

import (
	"cmp"
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
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Gateway routes, filters and translates between its interfaces. See the package comment.
type Gateway struct {
	tracer *trace.Tracer
	epoch  time.Time
	rules  *rule.Tables // of IPv4
	rules6 *rule.Tables // of IPv6
	conns  *conntrack.Table
	frags  reassembly
	errors errorLimit
	ipID   atomic.Uint32 // the last IP id that was used

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
	interfaces  []*Interface
	local       map[netip.Addr]*Interface // the gateway's own addresses
	routes      route.Table[*Interface]
	forwarding  bool                 // of IPv4
	forwarding6 bool                 // of IPv6
	sockets     map[socketKey]Socket // of the gateway's own programs
}

// Socket is where a program of the gateway itself hears what was sent to it: a name server, a ping from the gateway.
type Socket interface {
	// Deliver takes an IP packet behind EthernetHeader bytes of room, and what its offload metadata leaves to be done. The
	// bytes are borrowed until it returns. It is called from many goroutines and must not block; it may call Originate.
	Deliver(f frame.Frame, now time.Time)
}

// socketKey says what a socket takes: the destination port of TCP and UDP, the identifier of answers to ICMP queries.
type socketKey struct {
	proto uint8
	port  uint16
}

// Interface is where the gateway stands on a network, or has a way out.
type Interface struct {
	gw      *Gateway
	number  uint32 // in the sources of what comes in
	config  InterfaceConfig
	name    string
	own     atomic.Pointer[arp.Self] // see self
	uplink  Uplink
	binder  Binder   // the uplink, if it is one
	machine Machiner // the uplink, if it is one
	segment Segment

	neighbors *arp.Cache[held]                   // of both families
	announces atomic.Int32                       // gratuitous ARPs still to send
	announce  atomic.Int64                       // when, in nanoseconds since the gateway's epoch
	advert    atomic.Pointer[frame.RouterAdvert] // nil: hosts are told nothing
	adverts   adverts

	rx, tx           counter
	rxDrops, txDrops atomic.Uint64
}

type counter struct{ packets, bytes atomic.Uint64 }

func (c *counter) count(n int) {
	c.packets.Add(1)
	c.bytes.Add(uint64(n))
}

// source returns who sent a frame that came in by the interface; a network without a switch, as the outside, is one sender.
func (i *Interface) source(f frame.Frame) uint64 { return uint64(i.number)<<32 | f.Source&(1<<32-1) }

// port returns the name of the port by which a frame of that source came in by the interface; empty if there was none, or nobody
// knows.
func (i *Interface) port(source uint64) string {
	if i == nil || source>>32 != uint64(i.number) {
		return ""
	}
	if s, ok := i.segment.(Porter); ok {
		return s.PortName(uint32(source))
	}
	return ""
}

// New makes a gateway without interfaces.
func New(c Config) *Gateway {
	g := &Gateway{tracer: c.Tracer, epoch: c.Epoch, rules: c.Rules, rules6: cmp.Or(c.Rules6, rule.NewTables(rule.IPv6)), rand: c.Random, conns: conntrack.NewTable(c.MaxConns, c.Epoch),
		wake: make(chan struct{}, 1)}
	g.frags.limit = cmp.Or(c.FragmentMemory, DefaultFragmentMemory)
	g.ipID.Store(c.Random.Uint32())
	g.view.Store(&view{local: map[netip.Addr]*Interface{}, forwarding: !c.NoForwarding, forwarding6: !c.NoForwarding6})
	return g
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

// AddRoute sends packets for a prefix to an interface, through the next hop via unless that is invalid.
func (g *Gateway) AddRoute(p netip.Prefix, via netip.Addr, dev *Interface) error {
	if via.IsValid() && via.Is4() != p.Addr().Is4() {
		return fmt.Errorf("route to %v: the next hop %v is of the other family", p, via)
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

// SetForwarding6 is net.ipv6.conf.all.forwarding.
func (g *Gateway) SetForwarding6(on bool) {
	_ = g.change(func(v *view) error {
		v.forwarding6 = on
		return nil
	})
}

// Forwarding6 reports net.ipv6.conf.all.forwarding.
func (g *Gateway) Forwarding6() bool { return g.view.Load().forwarding6 }

// forwards reports whether packets of that family are forwarded.
func (v *view) forwards(p frame.IP) bool {
	if p.Is4() {
		return v.forwarding
	}
	return v.forwarding6
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

// Interfaces returns the interfaces, in the order in which they were added.
func (g *Gateway) Interfaces() []*Interface { return slices.Clone(g.view.Load().interfaces) }

// Interface finds an interface by its name.
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

// Rules returns the tables of rules of IPv4.
func (g *Gateway) Rules() *rule.Tables { return g.rules }

// Rules6 returns the tables of rules of IPv6.
func (g *Gateway) Rules6() *rule.Tables { return g.rules6 }

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

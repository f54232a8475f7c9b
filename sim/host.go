package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"uswitch/arp"
	"uswitch/nat/route"
	"uswitch/switch/frame"
)

// Host is a machine on one or more networks, as a namespace with its eth0, eth1, ... is in a real lab.
type Host struct {
	*Machine
	name   string
	cards  []*Card
	routes route.Table[*Card]

	// What only hosts have that were made from a state; see HostState.
	refused  []HostRoute
	locals   []netip.Addr
	bound    []Socket
	anywhere map[uint8][]uint16 // by protocol: the ports that are open at all addresses
	unseen   []Unseen
	kernel   Kernel
	rules    []HostRule
	policy   string
	loDown   bool
	witness  func(Step)
	by       *Card // that has brought the packet that is being taken; nil: it came by lo
}

// NewHost makes a host without a card. What it does, it does on the goroutine of the scheduler, to which it belongs.
func NewHost(s Scheduler, random *rand.Rand, name string) *Host {
	h := &Host{name: name}
	h.Machine = newMachine(s, random, h)
	return h
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// Cards returns the network cards, eth0 first.
func (h *Host) Cards() []*Card { return slices.Clone(h.cards) }

// addCard gives the host its next card, perhaps without an address.
func (h *Host) addCard(mac frame.MAC, addr netip.Prefix, mtu int, w *Wire) (*Card, error) {
	return h.AddCard(fmt.Sprintf("eth%d", len(h.cards)), mac, addr, mtu, w)
}

// AddCard gives the host a card on a wire: the card's name inside the host, its address on the network, invalid if it has
// none, and the largest packet that it sends, in bytes.
func (h *Host) AddCard(name string, mac frame.MAC, addr netip.Prefix, mtu int, w *Wire) (*Card, error) {
	card := &Card{host: h, time: h.time, name: name, mtu: mtu, self: arp.Self{MAC: mac, Addr: addr},
		neighbors: arp.New[[]byte](), wire: w, asked: map[netip.Addr]func(frame.MAC){}}
	if err := card.connect(); err != nil {
		return nil, err
	}
	h.cards = append(h.cards, card)
	w.PlugHost(card.input)
	return card, nil
}

// enter enters a route by a card, in the place of another one to the same prefix.
func (h *Host) enter(p netip.Prefix, via netip.Addr, c *Card) {
	if routes, err := h.routes.With(route.Route[*Card]{Prefix: p, Via: via, Dev: c}); err == nil {
		h.routes = routes
	}
}

// connect enters the route to the card's own network, if it has one.
func (c *Card) connect() error {
	if !c.self.Addr.IsValid() {
		return nil
	}
	routes, err := c.host.routes.With(route.Route[*Card]{Prefix: c.self.Addr.Masked(), Dev: c})
	if err == nil {
		c.host.routes = routes
	}
	return err
}

var everything = netip.MustParsePrefix("0.0.0.0/0")

// Routes lists the host's routes in the order of `ip route`.
func (h *Host) Routes() []route.Route[*Card] { return h.routes.Routes() }

// owns implements network.
func (h *Host) owns(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(h.locals, a) || slices.ContainsFunc(h.cards, func(c *Card) bool { return c.has(a) })
}

// has reports whether an address is one of the card's.
func (c *Card) has(a netip.Addr) bool {
	return c.six.has(a) || c.self.Addr.Addr() == a || slices.ContainsFunc(c.more, func(p netip.Prefix) bool { return p.Addr() == a })
}

// Neighbors lists what the host knows of its neighbours at now, card by card.
func (h *Host) Neighbors(now time.Time) []Neighbor {
	var all []Neighbor
	for _, c := range h.cards {
		for _, n := range c.neighbors.List(now) {
			all = append(all, Neighbor{n, c.name})
		}
	}
	return all
}

// Neighbor is one row of a host's neighbour tables.
type Neighbor struct {
	arp.Neighbor
	Card string // eth0
}

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
	nics   []*NIC
	routes route.Table[*NIC]

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
	by       *NIC // that has brought the packet that is being taken; nil: it came by lo
}

// NewHost makes a host without an interface. What it does, it does on the goroutine of the scheduler, to which it belongs.
func NewHost(s Scheduler, random *rand.Rand, name string) *Host {
	h := &Host{name: name}
	h.Machine = newMachine(s, random, h)
	return h
}

// Name returns the host's name.
func (h *Host) Name() string { return h.name }

// NICs returns the network interfaces, eth0 first.
func (h *Host) NICs() []*NIC { return slices.Clone(h.nics) }

// addNIC gives the host its next interface, perhaps without an address.
func (h *Host) addNIC(mac frame.MAC, addr netip.Prefix, mtu int, w *Wire) (*NIC, error) {
	return h.AddNIC(fmt.Sprintf("eth%d", len(h.nics)), mac, addr, mtu, w)
}

// AddNIC gives the host an interface on a wire: the interface's name inside the host, its address on the network, invalid if it has
// none, and the largest packet that it sends, in bytes.
func (h *Host) AddNIC(name string, mac frame.MAC, addr netip.Prefix, mtu int, w *Wire) (*NIC, error) {
	nic := &NIC{host: h, time: h.time, name: name, mtu: mtu, self: arp.Self{MAC: mac, Addr: addr},
		neighbors: arp.New[[]byte](), wire: w, asked: map[netip.Addr]func(frame.MAC){}}
	if err := nic.connect(); err != nil {
		return nil, err
	}
	h.nics = append(h.nics, nic)
	w.PlugHost(nic.input)
	return nic, nil
}

// enter enters a route by an interface, in the place of another one to the same prefix.
func (h *Host) enter(p netip.Prefix, via netip.Addr, c *NIC) {
	if routes, err := h.routes.With(route.Route[*NIC]{Prefix: p, Via: via, Dev: c}); err == nil {
		h.routes = routes
	}
}

// connect enters the route to the interface's own network, if it has one.
func (c *NIC) connect() error {
	if !c.self.Addr.IsValid() {
		return nil
	}
	routes, err := c.host.routes.With(route.Route[*NIC]{Prefix: c.self.Addr.Masked(), Dev: c})
	if err == nil {
		c.host.routes = routes
	}
	return err
}

var everything = netip.MustParsePrefix("0.0.0.0/0")

// Routes lists the host's routes in the order of `ip route`.
func (h *Host) Routes() []route.Route[*NIC] { return h.routes.Routes() }

// owns implements network.
func (h *Host) owns(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(h.locals, a) || slices.ContainsFunc(h.nics, func(c *NIC) bool { return c.has(a) })
}

// has reports whether an address is one of the interface's.
func (c *NIC) has(a netip.Addr) bool {
	return c.six.has(a) || c.self.Addr.Addr() == a || slices.ContainsFunc(c.more, func(p netip.Prefix) bool { return p.Addr() == a })
}

// Neighbors lists what the host knows of its neighbours at now, interface by interface.
func (h *Host) Neighbors(now time.Time) []Neighbor {
	var all []Neighbor
	for _, c := range h.nics {
		for _, n := range c.neighbors.List(now) {
			all = append(all, Neighbor{n, c.name})
		}
	}
	return all
}

// Neighbor is one row of a host's neighbour tables.
type Neighbor struct {
	arp.Neighbor
	NIC string // eth0
}

package snapshot

import (
	"net/netip"
	"slices"

	"uswitch/arp"
	"uswitch/sim"
	"uswitch/switch/frame"
)

// inside is what is found in a namespace.
type inside struct {
	cards     []netcard
	routes    []sim.HostRoute
	neighbors []neighbor
	tcp, udp  []netip.AddrPort // where somebody listens; unspecified: at all addresses
	// The next ephemeral port and identifier of a ping; 0: nobody can tell. See sim.HostState.
	nextPort, nextEcho uint16
}

// netcard is a network card as the kernel has it.
type netcard struct {
	name string
	mac  frame.MAC
	mtu  int
	up   bool
	addr netip.Prefix // the first one of IPv4; invalid: none
}

// neighbor is a row of the kernel's neighbour table.
type neighbor struct {
	arp.Neighbor
	card string
}

// fill puts what was found about a card in place of what the lab file said. Cards are known by their name, or, when somebody
// has changed that, by their MAC address; one that is gone is as good as down.
func (in *inside) fill(c *sim.CardState) {
	i := slices.IndexFunc(in.cards, func(n netcard) bool { return n.name == c.Name })
	if i < 0 {
		i = slices.IndexFunc(in.cards, func(n netcard) bool { return n.mac == c.MAC })
	}
	if i < 0 {
		c.Down, c.Addr = true, netip.Prefix{}
		return
	}
	n := in.cards[i]
	c.Name, c.MAC, c.MTU, c.Down, c.Addr = n.name, n.mac, n.mtu, !n.up, n.addr
	for _, row := range in.neighbors {
		if row.card == n.name {
			c.Neighbors = append(c.Neighbors, row.Neighbor)
		}
	}
}

// listening returns the ports that others can reach: not those that are open on the loopback only.
func (in *inside) listening(sockets []netip.AddrPort) (ports []uint16) {
	for _, s := range sockets {
		mine := s.Addr().IsUnspecified() || !s.Addr().IsLoopback() &&
			slices.ContainsFunc(in.cards, func(c netcard) bool { return c.addr.IsValid() && c.addr.Addr() == s.Addr() })
		if mine && !slices.Contains(ports, s.Port()) {
			ports = append(ports, s.Port())
		}
	}
	slices.Sort(ports)
	return ports
}

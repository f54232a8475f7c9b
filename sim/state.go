package sim

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"uswitch/arp"
	"uswitch/nat/route"
	"uswitch/switch/frame"
)

// HostState is what a host is at one moment, as plain data: enough to make a simulated host that behaves like it. A
// simulated host tells it itself; of a real one, whoever can look into its namespace fills it in.
type HostState struct {
	Name   string
	Cards  []CardState
	Routes []HostRoute // besides those to the cards' own networks
	// TCP and UDP are the ports on which somebody listens, at any address of the host's.
	TCP, UDP []uint16
	// The host's next ephemeral port and identifier of a ping; 0: nobody can tell.
	NextPort, NextEcho uint16
}

// CardState is a host's place on a network.
type CardState struct {
	Name      string       // inside the host: eth0
	Network   string       // the switch's name
	Port      string       // the port's name on that switch; empty: the cable is out
	Addr      netip.Prefix // with the network's length; invalid: the card has none
	MAC       frame.MAC
	MTU       int
	Down      bool
	Neighbors []arp.Neighbor
}

// HostRoute is a route by a next hop.
type HostRoute struct {
	Prefix netip.Prefix
	Via    netip.Addr // invalid: the prefix is on the card's own network
	Card   string     // eth0
}

// State returns what the host is at now.
func (h *Host) State(now time.Time) HostState {
	s := HostState{Name: h.name, TCP: h.listening(), UDP: slices.Sorted(maps.Keys(h.sockets)),
		NextPort: h.lastPort + 1, NextEcho: h.lastEcho + 1}
	for _, c := range h.cards {
		s.Cards = append(s.Cards, CardState{Name: c.name, Network: c.network, Port: c.port, Addr: c.self.Addr, MAC: c.self.MAC,
			MTU: c.mtu, Down: c.wire.down, Neighbors: c.neighbors.List(now)})
	}
	for _, r := range h.routes.Routes() {
		if !r.Connected() || r.Prefix != r.Dev.self.Addr.Masked() {
			s.Routes = append(s.Routes, HostRoute{r.Prefix, r.Via, r.Dev.name})
		}
	}
	return s
}

// listening returns the TCP ports on which somebody answers.
func (h *Host) listening() []uint16 {
	ports := slices.AppendSeq(slices.Collect(maps.Keys(h.services)), maps.Keys(h.listeners))
	slices.Sort(ports)
	return ports
}

// restore makes the host what a state says, except for its cards.
func (h *Host) restore(s HostState) error {
	for _, r := range s.Routes {
		i := slices.IndexFunc(h.cards, func(c *Card) bool { return c.name == r.Card })
		if i < 0 {
			continue // a route by something that is no card: a tunnel, say
		}
		routes, err := h.routes.With(route.Route[*Card]{Prefix: r.Prefix.Masked(), Via: r.Via, Dev: h.cards[i]})
		if err != nil {
			return err
		}
		h.routes = routes
	}
	for _, port := range s.TCP {
		h.ServeTCP(port, patient)
	}
	for _, port := range s.UDP {
		h.ServeUDP(port, Echo)
	}
	if s.NextPort != 0 {
		h.lastPort = s.NextPort - 1
	}
	if s.NextEcho != 0 {
		h.lastEcho = s.NextEcho - 1
	}
	return nil
}

// patient is a Service that takes connections and says nothing.
func patient(netip.AddrPort, []byte) []byte { return nil }

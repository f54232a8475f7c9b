package sim

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"uswitch/arp"
	"uswitch/switch/frame"
)

// HostState is what a host is at one moment, as plain data: enough to make a simulated host that behaves like it. A
// simulated host tells it itself; of a real one, whoever can look into its namespace fills it in.
type HostState struct {
	Name   string
	NICs   []NICState
	Routes []HostRoute  // besides those to the interfaces' own networks
	Locals []netip.Addr // addresses that are no interface's: of lo, say
	// TCP and UDP are the ports on which somebody listens, at any address of the host's; Bound are the others.
	TCP, UDP []uint16
	Bound    []Socket
	Settings Settings
	Unseen   []Unseen // what decides in the host and is not evaluated
	// Kernel decides about routes where it is not nil. Whoever changes the routes, addresses or interfaces of a state has to take
	// it away.
	Kernel    Kernel
	Rules     []HostRule  // of policy routing, in their order
	Elsewhere []HostRoute // that forbid, in tables to which rules lead
	Policy    string      // what else of its routing only its Kernel can follow; empty: nothing
	LoDown    bool        // lo is down: the host does not reach itself
	// The host's next ephemeral port and identifier of a ping; 0: nobody can tell.
	NextPort, NextEcho uint16
}

// NICState is a host's place on a network.
type NICState struct {
	Name      string       // inside the host: eth0
	Network   string       // the switch's name
	Port      string       // the port's name on that switch; empty: the cable is out
	Addr      netip.Prefix // with the network's length; invalid: the interface has none
	Addrs6    []Addr6      // of IPv6
	IPv6      bool         // it speaks IPv6
	MAC       frame.MAC
	MTU       int
	Down      bool
	Neighbors []arp.Neighbor

	More      []netip.Prefix // further addresses
	Taken     string         // what inside the host has the interface for itself: a bridge, say; empty: nothing
	Forwards  bool           // what comes in here may leave by another interface
	NoARP     bool           // `arp off`
	NoAsking  bool           // no question of ARP is sent (mcast_solicit)
	RPFilter  int            // these four as in net.ipv4.conf
	ARPIgnore int
	ARPFilter int
	Announce  int
	ProxyARP  bool
	Proxied   []netip.Addr // answered for
}

// Socket is a socket that is bound to an address or an interface, or that is of no use.
type Socket struct {
	Proto uint8
	Addr  netip.Addr // unspecified: all
	Port  uint16
	NIC   string         // empty: all
	Full  bool           // its queue of connections is full
	Peer  netip.AddrPort // of a connected one, which hears nobody else
}

// Settings are those of net.ipv4 that decide about packets. The zero value is a host as simulated ones are.
type Settings struct {
	TTL              uint8 // 0: 64
	IgnoreEcho       bool  // icmp_echo_ignore_all
	AnswerBroadcasts bool  // icmp_echo_ignore_broadcasts is 0
}

// HostRoute is a route by a next hop, or one that forbids.
type HostRoute struct {
	Prefix netip.Prefix
	Via    netip.Addr // invalid: the prefix is on the interface's own network
	NIC    string     // eth0
	Kind   RouteKind  // empty: Unicast
	Table  int        // 0: main
}

// Forbids reports whether the route is one that leads nowhere.
func (r HostRoute) Forbids() bool { return r.Kind != "" && r.Kind != Unicast }

// HostRule is a rule of policy routing, which comes before the host's routes.
type HostRule struct {
	Kind     RouteKind    // what it forbids with; Unicast: it leads to a table
	From, To netip.Prefix // invalid: all
	More     bool         // it asks for more than addresses
	Text     string       // as `ip rule del` takes it
}

// State returns what the host is at now.
func (h *Host) State(now time.Time) HostState {
	s := HostState{Name: h.name, TCP: h.listening(), UDP: slices.Sorted(maps.Keys(h.sockets)),
		NextPort: h.lastPort + 1, NextEcho: h.lastEcho + 1}
	for _, c := range h.nics {
		s.NICs = append(s.NICs, NICState{Name: c.name, Network: c.network, Port: c.port, Addr: c.self.Addr, Addrs6: c.Addrs6(), IPv6: c.six != nil, MAC: c.self.MAC,
			MTU: c.mtu, Down: c.wire.down, Neighbors: c.neighbors.List(now)})
	}
	for _, r := range h.routes.Routes() {
		if !r.Connected() || r.Prefix != r.Dev.self.Addr.Masked() {
			s.Routes = append(s.Routes, HostRoute{Prefix: r.Prefix, Via: r.Via, NIC: r.Dev.name})
		}
	}
	s.Routes = append(s.Routes, h.refused...)
	return s
}

// listening returns the TCP ports on which somebody answers.
func (h *Host) listening() []uint16 {
	ports := slices.AppendSeq(slices.Collect(maps.Keys(h.services)), maps.Keys(h.listeners))
	slices.Sort(ports)
	return ports
}

// restore makes the host what a state says, except for its interfaces.
func (h *Host) restore(s HostState) error {
	if err := h.restoreRoutes(s.Routes); err != nil {
		return err
	}
	h.locals, h.unseen, h.kernel = s.Locals, s.Unseen, s.Kernel
	h.rules, h.policy, h.loDown = s.Rules, s.Policy, s.LoDown
	h.settings = s.Settings
	h.bound = s.Bound
	for _, b := range s.Bound {
		if b.Proto == frame.ProtoTCP && !slices.Contains(s.TCP, b.Port) {
			h.ServeTCP(b.Port, patient)
		} else if b.Proto == frame.ProtoUDP && !slices.Contains(s.UDP, b.Port) {
			h.ServeUDP(b.Port, Echo)
		}
	}
	if s.Bound != nil {
		h.anywhere = map[uint8][]uint16{frame.ProtoTCP: s.TCP, frame.ProtoUDP: s.UDP}
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

package tap

import (
	"net/netip"

	"uswitch/switch/frame"
)

// Inside is what a namespace's kernel knows, as it was when Look was called: plain data, but for Route, which asks that kernel
// anew. Everything is about IPv4.
type Inside struct {
	Links     []Link
	Routes    []FIBRoute // of all tables, also those that forbid
	Rules     []Rule     // of policy routing, besides the three that every namespace begins with, in their order
	Neighbors []Neighbor
	Sockets   []Socket
	Unseen    []Unseen
	sysctls   map[string]int
	router    router
}

// Link is a network device.
type Link struct {
	Name      string
	Index     int
	Kind      string // tun, dummy, bridge ...; empty: a plain device, such as lo
	MAC       frame.MAC
	MTU       int
	Up        bool
	NoARP     bool   // IFF_NOARP: it neither asks nor answers
	Master    string // the bridge, bond or VRF that has it; empty: none
	Addresses []netip.Prefix
}

// FIBRoute is a route of any table, of any type.
type FIBRoute struct {
	Table  int
	Type   RouteType
	Prefix netip.Prefix
	Via    netip.Addr
	Dev    string
	Metric int
	Text   string // as `ip route` prints it
	Hops   int    // more than 1: several next hops share the packets
}

// Rule is one of policy routing.
type Rule struct {
	Type     RouteType    // what it forbids with; Unicast: it leads to a table
	From, To netip.Prefix // invalid: all
	More     bool         // it asks for more than addresses
	Text     string       // as `ip rule del` takes it
}

// RouteType says what the kernel does with a packet (RTN_*, rtnetlink(7)).
type RouteType string

// The types, in the words of `ip route`.
const (
	Unicast     RouteType = "unicast"
	Local       RouteType = "local"
	Broadcast   RouteType = "broadcast"
	Multicast   RouteType = "multicast"
	Blackhole   RouteType = "blackhole"   // EINVAL; of a packet that has come in also: its source is not believed (rp_filter, martians)
	Unreachable RouteType = "unreachable" // EHOSTUNREACH; of a packet that has come in also: the namespace does not forward
	Prohibit    RouteType = "prohibit"    // EACCES
	Throw       RouteType = "throw"       // the table has no route
	NoRoute     RouteType = "none"        // ENETUNREACH
	ReversePath RouteType = "rp_filter"   // EXDEV, of kernels before 6.13: the source is not believed, because of rp_filter
)

// Flow is a packet for Route: one that the namespace sends itself, or, with In, one that has come in by a device.
type Flow struct {
	Dst, Src         netip.Addr // Src invalid: the kernel chooses
	In               string
	Mark             uint32
	Proto            uint8 // 0: of none in particular
	SrcPort, DstPort uint16
}

// Decision is what the kernel does with a packet.
type Decision struct {
	Type   RouteType
	Dev    string
	Via    netip.Addr // invalid: the destination is on the wire itself
	Src    netip.Addr // of a packet that is sent: the source that the kernel chooses
	MTU    int        // of the route; 0: the device's
	TTL    int        // of the route; 0: the namespace's
	Table  int
	Tunnel bool // the route wraps the packet into another
}

// Neighbor is a row of the neighbour table.
type Neighbor struct {
	Addr  netip.Addr
	MAC   frame.MAC // zero: not known
	Dev   string
	State int  // NUD_*
	Proxy bool // answered for by this namespace
}

// Socket is one that others can reach: a TCP listener, or a UDP socket.
type Socket struct {
	Proto uint8
	Addr  netip.Addr     // it is bound to; unspecified: all
	Port  uint16         //
	Peer  netip.AddrPort // of a connected UDP socket, which hears nobody else
	Dev   string         // it is bound to; empty: all
	Full  bool           // its queue of connections is full: it takes no more
}

// Unseen is something that decides about packets and that nobody here evaluates: it is there, and that is all that is known.
type Unseen struct {
	At    Point
	Dev   string // the only device that it is about; empty: all
	Text  string // 3 firewall rules of its own
	Shown string // the command that shows it, typed in the namespace; empty: none is known
	Only  bool   // it can only drop: no packet passes because of it that would not pass without
	Drops bool   // it drops everything that comes there: a policy without rules
}

// Point is where in a namespace something looks at packets (netfilter's hooks, and the device's own).
type Point string

// The points.
const (
	AtIngress     Point = "ingress"
	AtPrerouting  Point = "prerouting"
	AtInput       Point = "input"
	AtForward     Point = "forward"
	AtOutput      Point = "output"
	AtPostrouting Point = "postrouting"
	AtEgress      Point = "egress"
	AtARPIn       Point = "arp in"
	AtARPOut      Point = "arp out"
)

// Sysctl returns a number below /proc/sys/net/ipv4; ok is false if there is none.
func (in *Inside) Sysctl(name string) (n int, ok bool) {
	n, ok = in.sysctls[name]
	return n, ok
}

// Route asks the namespace's kernel what it would do with a packet now (RTM_GETROUTE): all tables and rules are its own. The
// error says that it could not be asked.
func (in *Inside) Route(f Flow) (Decision, error) { return in.router.route(f, in) }

// Close gives back what Route needs, and with it the last that holds the namespace.
func (in *Inside) Close() { in.router.close() }

package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// InternetConfig describes an Internet. The zero value is the one that the docs tell of.
type InternetConfig struct {
	Addr    netip.Prefix  // the gateway's address on the uplink; 192.168.104.2/24
	Routers []netip.Addr  // on the way out, the next hop first; 192.168.104.1 and 100.64.0.1
	Hop     time.Duration // from one machine to the next; 4 ms
}

// Internet is a small world outside, in memory: a nat.Uplink for labs without any network.
//
//	gateway            routers                        servers
//	192.168.104.2 ---- 192.168.104.1 ---- 100.64.0.1 --+-- 8.8.8.8, 1.1.1.1   ping, DNS
//	                                                   +-- 93.184.216.34      example.com: ping, a page on port 80
//	                                                   +-- 198.51.100.7       somebody outside, see Client
//	                                                   +-- 198.51.100.99      switched off: host unreachable
//	                                                   +-- 203.0.113.0/24     swallows everything, and so does 11.0.0.0/8
//
// With the gateway itself, three routers stand between a host and a server: an answer that left with ttl 64 comes home
// with 61. The first router lets a packet pass only if its source is the uplink's own address (RFC 2827): nobody outside
// knows the way to a lab's inside networks.
//
// Output may be called from any goroutine. All else happens on the scheduler's, also the calls of Gateway.InputUplink.
type Internet struct {
	time    Scheduler
	random  *rand.Rand
	config  InternetConfig
	gateway *nat.Gateway
	uplink  *nat.Interface
	routers []*Machine
	servers map[netip.Addr]*Machine
	client  *Machine
	moving  atomic.Int64 // packets on their way out
}

// DefaultNextHop is the first router of an Internet that was told nothing else.
var DefaultNextHop = netip.AddrFrom4([4]byte{192, 168, 104, 1})

// SecondHop is the router behind it.
var SecondHop = netip.AddrFrom4([4]byte{100, 64, 0, 1})

// maxMoving bounds the packets that are on their way out at once.
const maxMoving = 8192

// Addresses of the Internet.
var (
	dnsServers  = []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("1.1.1.1")}
	webServer   = netip.MustParseAddr("93.184.216.34")
	clientAddr  = netip.MustParseAddr("198.51.100.7")
	clientAddr6 = netip.MustParseAddr("2001:db8:51::7")
	switchedOff = netip.MustParseAddr("198.51.100.99")
	silence     = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("11.0.0.0/8")}
)

// NewInternet makes an Internet that runs on s. Its random numbers are used on the scheduler's goroutine. It takes no
// packets before Connect.
func NewInternet(c InternetConfig, s Scheduler, random *rand.Rand) (*Internet, error) {
	if !c.Addr.IsValid() {
		c.Addr = netip.MustParsePrefix("192.168.104.2/24")
	}
	if c.Routers == nil {
		c.Routers = []netip.Addr{DefaultNextHop, SecondHop}
	}
	if c.Hop == 0 {
		c.Hop = 4 * time.Millisecond
	}
	if !c.Addr.Addr().Is4() || len(c.Routers) == 0 || !c.Addr.Contains(c.Routers[0]) || c.Routers[0] == c.Addr.Addr() {
		return nil, fmt.Errorf("the simulated internet: want the first router on the uplink's network %v", c.Addr)
	}
	n := &Internet{time: s, random: random, config: c, servers: map[netip.Addr]*Machine{}}
	for i, a := range c.Routers {
		n.routers = append(n.routers, n.newMachine(a, i))
	}
	n.client = n.addServer(clientAddr)
	for _, a := range dnsServers {
		n.addServer(a).ServeUDP(53, answerDNS)
	}
	n.addServer(webServer).ServeTCP(80, examplePage)
	return n, nil
}

func (n *Internet) newMachine(a netip.Addr, distance int) *Machine {
	return newMachine(n.time, n.random, &site{n, a, distance})
}

func (n *Internet) addServer(a netip.Addr) *Machine {
	m := n.newMachine(a, len(n.routers))
	n.servers[a] = m
	return m
}

// Connect tells where answers go: into this interface of this gateway. The gateway needs a default route through NextHop as
// well.
func (n *Internet) Connect(g *nat.Gateway, uplink *nat.Interface) { n.gateway, n.uplink = g, uplink }

// Addr returns the gateway's address on the uplink, with the network's prefix.
func (n *Internet) Addr() netip.Prefix { return n.config.Addr }

// NextHop returns the first router.
func (n *Internet) NextHop() netip.Addr { return n.config.Routers[0] }

// Client returns somebody outside, at 198.51.100.7, who can be told to ping and to connect to what the lab publishes. It
// belongs to the scheduler's goroutine: in a lab of real time, its methods are called through After.
func (n *Internet) Client() *Machine { return n.client }

// Output implements nat.Uplink. The packet is copied.
func (n *Internet) Output(f frame.Frame, _ time.Time) trace.Reason {
	f = f.Clone()
	f.FinishChecksum() // a super-frame stays whole: nothing out here is too narrow for it
	ip, err := frame.ParseIPv4(f.Data[frame.EthernetHeader:])
	switch {
	case err != nil:
		return trace.IPHeader
	case ip.Src() != n.config.Addr.Addr():
		return trace.InsideSource
	case n.moving.Load() >= maxMoving:
		return trace.UplinkError
	}
	n.moving.Add(1)
	n.outward(f.Data, 0)
	return trace.NoReason
}

// outward carries a packet, with room in front, from hop to hop: to router i, or behind the last one to its server.
func (n *Internet) outward(b []byte, i int) {
	n.time.After(n.config.Hop, func() {
		if i < len(n.routers) && n.passes(frame.IP(b[frame.EthernetHeader:]), i) {
			n.outward(b, i+1)
			return
		}
		n.moving.Add(-1)
		if i == len(n.routers) {
			n.arrive(b[frame.EthernetHeader:])
		}
	})
}

// passes does what router i does with a packet, and reports whether it goes on.
func (n *Internet) passes(ip frame.IP, i int) bool {
	router := n.routers[i]
	if router.net.owns(ip.Dst()) {
		router.input(ip, false)
		return false
	}
	if ip.TTL() <= 1 {
		router.sendError(ip, false, frame.ICMPTimeExceeded, 0, 0)
		return false
	}
	ip.DecrementTTL()
	if i < len(n.routers)-1 {
		return true
	}
	// The last router knows who is there.
	switch dst := ip.Dst(); {
	case n.servers[dst] != nil, slices.ContainsFunc(silence, func(p netip.Prefix) bool { return p.Contains(dst) }):
		return true
	case dst == switchedOff:
		router.sendError(ip, false, frame.ICMPUnreachable, frame.UnreachableHost, 0)
	case !dst.IsMulticast():
		router.sendError(ip, false, frame.ICMPUnreachable, frame.UnreachableNet, 0)
	}
	return false
}

// arrive hands a packet to the server that it is for.
func (n *Internet) arrive(b []byte) {
	if m := n.servers[frame.IP(b).Dst()]; m != nil {
		m.input(b, false)
	}
}

// homeward carries a packet back, over the routers below i, and into the gateway.
func (n *Internet) homeward(b []byte, i int) {
	n.time.After(n.config.Hop, func() {
		if i == 0 {
			n.gateway.InputUplink(n.uplink, frame.Frame{Data: b}, n.time.Now())
			return
		}
		ip := frame.IP(b[frame.EthernetHeader:])
		if ip.TTL() <= 1 {
			n.routers[i-1].sendError(ip, false, frame.ICMPTimeExceeded, 0, 0)
			return
		}
		ip.DecrementTTL()
		n.homeward(b, i-1)
	})
}

// site is where a machine of the Internet stands: behind that many routers, seen from the lab.
type site struct {
	n        *Internet
	addr     netip.Addr
	distance int
}

// owns implements network.
func (s *site) owns(a netip.Addr) bool { return a == s.addr }

// source implements network: everything can be reached from here, or at least tried.
func (s *site) source(frame.Tuple) (way, error) { return way{src: s.addr, mtu: 1500}, nil }

// transmit implements network. Servers reach one another over the last router.
func (s *site) transmit(b []byte) {
	switch dst := frame.IP(b[frame.EthernetHeader:]).Dst(); {
	case dst == s.n.config.Addr.Addr():
		if s.n.gateway != nil {
			s.n.homeward(b, s.distance)
		}
	case s.n.servers[dst] != nil:
		s.n.time.After(2*s.n.config.Hop, func() { s.n.arrive(b[frame.EthernetHeader:]) })
	}
}

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

// The addresses of IPv6 of the gateway on the uplink and of the routers, the next hop first; further routers have none.
var (
	addr6    = netip.MustParsePrefix("fd00:c0a8:68::2/64")
	routers6 = []netip.Addr{netip.MustParseAddr("fd00:c0a8:68::1"), netip.MustParseAddr("fd00:6440::1")}
)

// Internet is a small world outside, in memory: a nat.Uplink for labs without any network.
//
//	gateway            routers                        servers
//	192.168.104.2 ---- 192.168.104.1 ---- 100.64.0.1 --+-- 8.8.8.8, 1.1.1.1   ping, DNS
//	                                                   +-- 93.184.216.34      example.com: ping, a page on port 80
//	                                                   +-- 198.51.100.7       somebody outside, see Client
//	                                                   +-- 198.51.100.99      switched off: host unreachable
//	                                                   +-- 203.0.113.0/24     swallows everything, and so does 11.0.0.0/8
//
// All of it speaks IPv6 too: the servers as 2001:4860:4860::8888, 2606:4700:4700::1111 and 2606:2800:220:1:248:1893:25c8:1946, the
// others in 2001:db8::/32 (see worldwide), the way there over fd00:c0a8:68::1 and fd00:6440::1.
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
	switchedOff = netip.MustParseAddr("198.51.100.99")
	silence     = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("11.0.0.0/8"), netip.MustParsePrefix("2001:db8:203::/48")}
)

// worldwide are the addresses of IPv6 that those of IPv4 have beside them.
var worldwide = map[netip.Addr]netip.Addr{
	dnsServers[0]: netip.MustParseAddr("2001:4860:4860::8888"),
	dnsServers[1]: netip.MustParseAddr("2606:4700:4700::1111"),
	webServer:     netip.MustParseAddr("2606:2800:220:1:248:1893:25c8:1946"),
	clientAddr:    netip.MustParseAddr("2001:db8:51::7"),
	switchedOff:   netip.MustParseAddr("2001:db8:51::99"),
}

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
		six := netip.Addr{}
		if i < len(routers6) {
			six = routers6[i]
		}
		n.routers = append(n.routers, n.newMachine(a, six, i))
	}
	n.client = n.addServer(clientAddr)
	for _, a := range dnsServers {
		n.addServer(a).ServeUDP(53, answerDNS)
	}
	n.addServer(webServer).ServeTCP(80, examplePage)
	return n, nil
}

func (n *Internet) newMachine(a, six netip.Addr, distance int) *Machine {
	return newMachine(n.time, n.random, &site{n, a, six, distance})
}

func (n *Internet) addServer(a netip.Addr) *Machine {
	m := n.newMachine(a, worldwide[a], len(n.routers))
	n.servers[a], n.servers[worldwide[a]] = m, m
	return m
}

// Connect tells where answers go: into this interface of this gateway. The gateway needs a default route through NextHop as
// well.
func (n *Internet) Connect(g *nat.Gateway, uplink *nat.Interface) { n.gateway, n.uplink = g, uplink }

// Addr returns the gateway's address on the uplink, with the network's prefix.
func (n *Internet) Addr() netip.Prefix { return n.config.Addr }

// NextHop returns the first router.
func (n *Internet) NextHop() netip.Addr { return n.config.Routers[0] }

// Addr6 and NextHop6 are Addr and NextHop in IPv6.
func (*Internet) Addr6() netip.Prefix { return addr6 }

// NextHop6 returns the first router.
func (*Internet) NextHop6() netip.Addr { return routers6[0] }

// isGateway reports whether an address is the gateway's on the uplink.
func (n *Internet) isGateway(a netip.Addr) bool {
	return a == n.config.Addr.Addr() || a == addr6.Addr()
}

// Client returns somebody outside, at 198.51.100.7 and 2001:db8:51::7, who can be told to ping and to connect to what the lab publishes. It
// belongs to the scheduler's goroutine: in a lab of real time, its methods are called through After.
func (n *Internet) Client() *Machine { return n.client }

// Output implements nat.Uplink. The packet is copied.
func (n *Internet) Output(f frame.Frame, _ time.Time) trace.Reason {
	f = f.Clone()
	f.FinishChecksum() // a super-frame stays whole: nothing out here is too narrow for it
	ip, err := frame.ParseIP(f.Data[frame.EthernetHeader:])
	switch {
	case err != nil:
		return trace.IPHeader
	case !n.isGateway(ip.Src()):
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
	case dst == switchedOff || dst == worldwide[switchedOff]:
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
	n         *Internet
	addr, six netip.Addr // six is invalid of a router that has no address of IPv6
	distance  int
}

// owns implements network.
func (s *site) owns(a netip.Addr) bool { return a == s.addr || a == s.six }

// source implements network: everything can be reached from here, or at least tried.
func (s *site) source(t frame.Tuple) (way, error) {
	src := s.addr
	if t.Dst().Is6() {
		src = s.six
	}
	if !src.IsValid() {
		return way{}, ErrNoRoute
	}
	return way{src: src, mtu: 1500}, nil
}

// transmit implements network. Servers reach one another over the last router.
func (s *site) transmit(b []byte) {
	switch dst := frame.IP(b[frame.EthernetHeader:]).Dst(); {
	case s.n.isGateway(dst):
		if s.n.gateway != nil {
			s.n.homeward(b, s.distance)
		}
	case s.n.servers[dst] != nil:
		s.n.time.After(2*s.n.config.Hop, func() { s.n.arrive(b[frame.EthernetHeader:]) })
	}
}

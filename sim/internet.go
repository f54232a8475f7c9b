package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
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
//	                                                   +-- 203.0.113.0/24     swallows everything
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

// maxMoving bounds the packets that are on their way out at once.
const maxMoving = 8192

// Addresses of the Internet.
var (
	dnsServers  = []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("1.1.1.1")}
	webServer   = netip.MustParseAddr("93.184.216.34")
	clientAddr  = netip.MustParseAddr("198.51.100.7")
	switchedOff = netip.MustParseAddr("198.51.100.99")
	silence     = netip.MustParsePrefix("203.0.113.0/24")
)

// NewInternet makes an Internet that runs on s. Its random numbers are used on the scheduler's goroutine. It takes no
// packets before Connect.
func NewInternet(c InternetConfig, s Scheduler, random *rand.Rand) (*Internet, error) {
	if !c.Addr.IsValid() {
		c.Addr = netip.MustParsePrefix("192.168.104.2/24")
	}
	if c.Routers == nil {
		c.Routers = []netip.Addr{DefaultNextHop, netip.MustParseAddr("100.64.0.1")}
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

// Connect tells where answers go: into this leg of this gateway. The gateway needs a default route through NextHop as
// well.
func (n *Internet) Connect(g *nat.Gateway, uplink *nat.Interface) { n.gateway, n.uplink = g, uplink }

// Addr returns the gateway's address on the uplink, with the network's prefix.
func (n *Internet) Addr() netip.Prefix { return n.config.Addr }

// Config returns what the Internet was made from, with all defaults filled in.
func (n *Internet) Config() InternetConfig { return n.config }

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

package sim

import (
	"net/netip"

	"uswitch/switch/frame"
)

// outward carries a packet, with room in front, from hop to hop: to router i, or behind the last one to its server.
func (n *Internet) outward(b []byte, i int) {
	n.time.After(n.config.Hop, func() {
		if i < len(n.routers) && n.passes(frame.IPv4(b[frame.EthernetHeader:]), i) {
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
func (n *Internet) passes(ip frame.IPv4, i int) bool {
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
	case n.servers[dst] != nil, silence.Contains(dst):
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
	if m := n.servers[frame.IPv4(b).Dst()]; m != nil {
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
		ip := frame.IPv4(b[frame.EthernetHeader:])
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
	switch dst := frame.IPv4(b[frame.EthernetHeader:]).Dst(); {
	case dst == s.n.config.Addr.Addr():
		if s.n.gateway != nil {
			s.n.homeward(b, s.distance)
		}
	case s.n.servers[dst] != nil:
		s.n.time.After(2*s.n.config.Hop, func() { s.n.arrive(b[frame.EthernetHeader:]) })
	}
}

package world

import (
	"net/netip"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
)

// forgetHost makes the gateway forget what it knows of a host's address on a network: how to reach it, and the connections
// that it had. Who gets the address next begins anew.
func (w *World) forgetHost(n *Network, a netip.Addr) {
	if n.Leg != nil {
		n.Leg.RemoveNeighbor(a, time.Now())
	}
	w.forgetConns(netip.PrefixFrom(a, a.BitLen()))
}

// forgetConns forgets the connections that have an end in a prefix.
func (w *World) forgetConns(p netip.Prefix) {
	inside := func(t frame.Tuple) bool {
		return p.Contains(netip.AddrFrom4(t.SrcIP)) || p.Contains(netip.AddrFrom4(t.DstIP))
	}
	w.gateway.DropConns(func(c nat.Conn) bool { return inside(c.Original) || inside(c.Reply) }, time.Now())
}

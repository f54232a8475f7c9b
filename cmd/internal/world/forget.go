package world

import (
	"net/netip"
	"sync"

	"uswitch/cmd/internal/plan"
	"uswitch/nat"
	"uswitch/switch/frame"
)

// former are the cards that have left a network, by their addresses. Neighbours go on believing for a while that an address is
// where it was: who takes it over with another MAC must tell them, as dockerd does from Docker 28 on.
type former struct {
	mu   sync.Mutex // guards what follows
	macs map[netip.Addr]frame.MAC
}

// note remembers a card that leaves.
func (f *former) note(card *plan.Interface) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.macs[card.Address.Addr()] = card.MAC
}

// other reports whether a card comes with an address that was at another MAC.
func (f *former) other(card *plan.Interface) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, known := f.macs[card.Address.Addr()]
	return known && before != card.MAC
}

// forgetHost makes the gateway forget what it knows of the address of a card that has left a network: how to reach it, and the
// connections that it had. Who gets the address next begins anew.
func (w *World) forgetHost(n *Network, card *plan.Interface) {
	a := card.Address.Addr()
	n.former.note(card)
	if n.Leg != nil {
		n.Leg.RemoveNeighbor(a, w.Now())
	}
	w.forgetConns(netip.PrefixFrom(a, a.BitLen()))
}

// forgetConns forgets the connections that have an end in a prefix.
func (w *World) forgetConns(p netip.Prefix) {
	inside := func(t frame.Tuple) bool {
		return p.Contains(t.Src()) || p.Contains(t.Dst())
	}
	w.gateway.DropConns(func(c nat.Conn) bool { return inside(c.Original) || inside(c.Reply) }, w.Now())
}

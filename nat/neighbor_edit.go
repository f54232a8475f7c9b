package nat

import (
	"net/netip"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// SetNeighbor enters a neighbour by hand: it is not asked for, and not forgotten. Packets that waited for it go.
func (i *Interface) SetNeighbor(addr netip.Addr, mac frame.MAC, now time.Time) {
	i.gw.release(i.neighbors.SetPermanent(addr, mac, now), mac, now)
}

// RemoveNeighbor forgets a neighbour and reports whether there was one. Packets that waited for it are dropped.
func (i *Interface) RemoveNeighbor(addr netip.Addr, now time.Time) bool {
	held, ok := i.neighbors.Remove(addr)
	i.giveUp(held, now)
	return ok
}

// FlushNeighbors forgets every neighbour that was not entered by hand. Packets that waited are dropped.
func (i *Interface) FlushNeighbors(now time.Time) { i.giveUp(i.neighbors.Flush(), now) }

func (i *Interface) giveUp(waiting []held, now time.Time) {
	for _, h := range waiting {
		i.gw.dropHeld(h, trace.Neighbor, trace.NeighRemoved, now)
	}
}

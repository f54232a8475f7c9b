package arp

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Making room means walking the whole table, with the lock held. So it is made for many at once, and where there was none
// it is not looked for again at once: a host that tries out every address of a large network costs little.
const (
	roomBatch = MaxNeighbors / 16
	roomPause = 100 * time.Millisecond
)

// room reports whether one more neighbour fits. In a full table it forgets those that failed, and then those that were
// confirmed longest ago; never one that was asked for or is in use, and so none for which packets wait. It needs the lock.
func (c *Cache[P]) room(now time.Time) bool {
	if len(c.entries) < MaxNeighbors {
		return true
	}
	if since := now.Sub(c.crowded); since >= 0 && since < roomPause {
		return false
	}
	type candidate struct {
		addr    netip.Addr
		state   State
		updated time.Time
	}
	var idle []candidate
	for addr, e := range c.entries {
		if s := e.current(now); s == Failed || s == Stale {
			idle = append(idle, candidate{addr, s, e.updated})
		}
	}
	slices.SortFunc(idle, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.state, a.state), a.updated.Compare(b.updated), a.addr.Compare(b.addr)) // Failed > Stale
	})
	if len(idle) < roomBatch {
		c.crowded = now
	}
	for _, one := range idle[:min(len(idle), roomBatch)] {
		delete(c.entries, one.addr)
	}
	return len(idle) > 0
}

// release hands out what has waited for a neighbour. It needs the lock.
func (c *Cache[P]) release(e *entry[P]) (held []P) {
	held, e.held = e.held, nil
	c.held -= len(held)
	return held
}

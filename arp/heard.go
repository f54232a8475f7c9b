package arp

import (
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// What neighbour discovery hears of a neighbour, which the one table keeps for both families: package nd reads the messages.

// Met notes a neighbour that has asked for something and said where it is: it is new, or its address has changed, or it is
// where it was (RFC 4861 7.2.3).
func (c *Cache[P]) Met(addr netip.Addr, mac frame.MAC, now time.Time) (changed bool, held []P) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, known := c.entries[addr]
	switch {
	case !known && !c.room(now):
		return false, nil
	case !known:
		e = &entry[P]{state: Failed}
		c.entries[addr] = e
	case e.state == Permanent:
		return false, nil
	}
	return e.merge(mac, false, now), c.release(e)
}

// Advert is what a neighbour advertisement says.
type Advert struct {
	MAC       frame.MAC // zero: it does not say
	Solicited bool      // it answers a question
	Override  bool      // what was known before is not true any more
	Router    bool      // who says it is a router
}

// Advertised notes what a neighbour advertises, if anybody here has asked for it or speaks to it; known is false otherwise
// (RFC 4861 7.2.5). Only an answer to a question of ours proves that the neighbour can hear us.
func (c *Cache[P]) Advertised(addr netip.Addr, a Advert, now time.Time) (known, changed bool, held []P) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, known := c.entries[addr]
	if !known {
		return false, false, nil
	}
	confirmed := a.Solicited && e.probes > 0
	switch {
	case e.state == Permanent, e.mac == (frame.MAC{}) && a.MAC == (frame.MAC{}):
		return true, false, nil
	case a.MAC == (frame.MAC{}):
		a.MAC = e.mac
	case !a.Override && e.mac != (frame.MAC{}) && e.mac != a.MAC:
		if e.current(now) == Reachable {
			e.state = Stale // somebody else says so too: ask again before long
		}
		return true, false, nil
	}
	e.router = a.Router
	changed = e.merge(a.MAC, confirmed, now)
	return true, changed, c.release(e)
}

package arp

import "time"

// Fork returns a table that knows what c knows at this moment and shares nothing with it, so that a question can be tried
// out on it. Packets that wait belong to the original and do not come along; that their neighbour was asked for does.
func (c *Cache[P]) Fork() *Cache[P] {
	f := New[P]()
	c.mu.Lock()
	defer c.mu.Unlock()
	for addr, e := range c.entries {
		twin := *e
		twin.held = nil
		f.entries[addr] = &twin
	}
	f.defended, f.crowded = c.defended, c.crowded
	return f
}

// Restore makes a table of the rows of a list, as they were at now: of another machine's table, say, of which no more is
// known. A neighbour that was asked for in vain counts as Failed, one that is being asked again as Stale.
func Restore[P any](rows []Neighbor, now time.Time) *Cache[P] {
	c := New[P]()
	for _, n := range rows {
		e := &entry[P]{mac: n.MAC, state: n.State, updated: now.Add(-n.Age)}
		switch n.State {
		case Incomplete:
			e.state = Failed
		case Delay, Probe:
			e.state = Stale
		}
		c.entries[n.Addr] = e
	}
	return c
}

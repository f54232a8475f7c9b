package arp

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

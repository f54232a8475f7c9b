package conntrack

import (
	"slices"

	"uswitch/switch/frame"
)

// CountKey is what connections are counted under: a list, as each rule of connlimit has one, and in it who is counted, an
// address of which the rule's mask has left the network.
type CountKey struct {
	List uint64
	Addr frame.Addr
}

// Count counts c among the connections of key and returns how many there are with it, as the kernel's nf_conncount does. A
// connection counts once however often it is asked about, from when it enters the table until it ends or both sides have
// closed it; one that never enters counts for the asker alone. Nothing is scanned: each connection knows where it counts.
func (t *Table) Count(c *Conn, key CountKey) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.counts[key]
	switch {
	case slices.Contains(c.counted, key):
		if c.nodes.source == nil {
			n++ // it is not in the table yet
		}
		return n
	case c.nodes.source != nil && c.tcp.closed():
		return n
	}
	c.counted = append(c.counted, key)
	if c.nodes.source == nil {
		return n + 1
	}
	t.counts[key]++
	return n + 1
}

// count counts a connection that enters the table where it was asked about.
func (t *Table) count(c *Conn) {
	for _, key := range c.counted {
		t.counts[key]++
	}
}

// uncount counts it nowhere any more.
func (t *Table) uncount(c *Conn) {
	for _, key := range c.counted {
		if t.counts[key]--; t.counts[key] == 0 {
			delete(t.counts, key)
		}
	}
	c.counted = nil
}

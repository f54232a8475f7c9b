package conntrack

import (
	"cmp"
	"slices"
)

// Fork returns a copy that shares nothing with t; bound returns what stands for the Bound of a connection there. Feeds and
// ports that are about to be released stay with the original. Packets move meanwhile: each connection is copied as it is at
// its own moment.
func (t *Table) Fork(bound func(any) any) *Table {
	f := t.empty()
	var copies []*Conn
	for i := t.Len() - 1; i >= 0; i-- {
		if c, ok := t.copyAt(i); ok {
			copies = append(copies, c)
		}
	}
	slices.SortFunc(copies, func(a, b *Conn) int { return cmp.Compare(a.order, b.order) })
	mapped := map[*mapping]*mapping{}
	for _, c := range copies {
		_, there := f.halves[c.Tuples[Original]]
		_, taken := f.halves[c.Tuples[Reply]]
		if there || taken {
			continue // it was met twice, or took the place of one that ended meanwhile
		}
		c.Bound = bound(c.Bound)
		if c.mapping != nil {
			c.mapping = f.mappings.adopt(c.mapping, mapped)
		}
		f.enter(c)
	}
	return f
}

// empty returns a table with the settings of t.
func (t *Table) empty() *Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := NewTable(t.eviction.limit, t.epoch)
	f.timeouts, f.lastID, f.entered, f.eviction.evicted = t.timeouts, t.lastID, t.entered, t.eviction.evicted
	f.wheel.swept = t.wheel.swept
	return f
}

// copyAt copies the connection with that index, if there still is one, without its places in the table's lists.
func (t *Table) copyAt(i int) (*Conn, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i >= len(t.all) {
		return nil, false
	}
	c := *t.all[i]
	c.nodes, c.timer, c.counted = nodes{}, node{}, slices.Clone(c.counted)
	return &c, true
}

// adopt returns the twin of a mapping for one more connection. twins are those that there are.
func (m *mappings) adopt(old *mapping, twins map[*mapping]*mapping) *mapping {
	twin := twins[old]
	if twin == nil {
		twin = &mapping{inside: old.inside, outside: old.outside, shared: old.shared}
		twins[old] = twin
		m.enter(twin)
	}
	twin.users++
	return twin
}

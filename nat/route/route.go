// Package route is a longest-prefix table for IPv4 (RFC 1812 5.2.4.3), without clocks, locks or metrics.
package route

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// Route says where packets for a prefix go.
type Route[D any] struct {
	Prefix netip.Prefix // masked
	Via    netip.Addr   // the next hop; invalid when the prefix is on the link itself
	Dev    D            // the way out
}

// Connected reports whether the destination itself is the next hop.
func (r Route[D]) Connected() bool { return !r.Via.IsValid() }

// Table is an immutable set of routes: With and Without return another one, and many goroutines may look up in one. The
// zero value is an empty table. D is whatever the user calls a device.
type Table[D any] struct {
	byLength [33]map[netip.Addr]Route[D]
	lengths  []int // the prefix lengths in use, longest first
}

// With returns the table with r in it, in place of a route to the same prefix.
func (t Table[D]) With(r Route[D]) (Table[D], error) {
	if !r.Prefix.IsValid() || !r.Prefix.Addr().Is4() {
		return t, fmt.Errorf("route to %v: want an IPv4 prefix, as in 10.1.0.0/24", r.Prefix)
	}
	if r.Prefix.Masked() != r.Prefix {
		return t, fmt.Errorf("route to %v: the host bits are not zero; the network is %v", r.Prefix, r.Prefix.Masked())
	}
	bits := r.Prefix.Bits()
	t.byLength[bits] = maps.Clone(t.byLength[bits])
	if t.byLength[bits] == nil {
		t.byLength[bits] = map[netip.Addr]Route[D]{}
	}
	t.byLength[bits][r.Prefix.Addr()] = r
	return t.index(), nil
}

// Without returns the table without the route to exactly that prefix, and whether it had one.
func (t Table[D]) Without(p netip.Prefix) (Table[D], bool) {
	if !p.IsValid() || !p.Addr().Is4() {
		return t, false
	}
	if _, ok := t.byLength[p.Bits()][p.Addr()]; !ok {
		return t, false
	}
	t.byLength[p.Bits()] = maps.Clone(t.byLength[p.Bits()])
	delete(t.byLength[p.Bits()], p.Addr())
	return t.index(), true
}

func (t Table[D]) index() Table[D] {
	t.lengths = nil
	for bits := 32; bits >= 0; bits-- {
		if len(t.byLength[bits]) > 0 {
			t.lengths = append(t.lengths, bits)
		}
	}
	return t
}

// Lookup returns the most specific route to an IPv4 address.
func (t *Table[D]) Lookup(a netip.Addr) (Route[D], bool) {
	for _, bits := range t.lengths {
		network, err := a.Prefix(bits)
		if err != nil {
			break
		}
		if r, ok := t.byLength[bits][network.Addr()]; ok {
			return r, true
		}
	}
	return Route[D]{}, false
}

// Routes lists the table in the order of `ip route`: the default route first, then by address and length.
func (t *Table[D]) Routes() []Route[D] {
	var all []Route[D]
	for _, byAddr := range t.byLength {
		all = append(all, slices.Collect(maps.Values(byAddr))...)
	}
	slices.SortFunc(all, func(a, b Route[D]) int {
		if c := a.Prefix.Addr().Compare(b.Prefix.Addr()); c != 0 {
			return c
		}
		return a.Prefix.Bits() - b.Prefix.Bits()
	})
	return all
}

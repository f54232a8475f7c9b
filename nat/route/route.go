// Package route is a longest-prefix table for both families of IP (RFC 1812 5.2.4.3), without clocks, locks or metrics.
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
type Table[D any] struct{ v4, v6 family[D] }

// family is the routes of IPv4, or of IPv6: of each prefix length in use, longest first.
type family[D any] []level[D]

type level[D any] struct {
	bits   int
	routes map[netip.Addr]Route[D] // by the network's address; never changed, and never empty
}

func (t *Table[D]) family(a netip.Addr) *family[D] {
	if a.Is4() {
		return &t.v4
	}
	return &t.v6
}

// With returns the table with r in it, in place of a route to the same prefix.
func (t Table[D]) With(r Route[D]) (Table[D], error) {
	if !r.Prefix.IsValid() {
		return t, fmt.Errorf("route to %v: want a prefix, as in 10.1.0.0/24", r.Prefix)
	}
	if r.Prefix.Masked() != r.Prefix {
		return t, fmt.Errorf("route to %v: the host bits are not zero; the network is %v", r.Prefix, r.Prefix.Masked())
	}
	f := t.family(r.Prefix.Addr())
	*f = f.with(r.Prefix.Bits(), func(routes map[netip.Addr]Route[D]) { routes[r.Prefix.Addr()] = r })
	return t, nil
}

// Without returns the table without the route to exactly that prefix, and whether it had one.
func (t Table[D]) Without(p netip.Prefix) (Table[D], bool) {
	f := t.family(p.Addr())
	at, ok := f.find(p.Bits())
	if !ok {
		return t, false
	}
	if _, ok := (*f)[at].routes[p.Addr()]; !ok {
		return t, false
	}
	*f = f.with(p.Bits(), func(routes map[netip.Addr]Route[D]) { delete(routes, p.Addr()) })
	return t, true
}

// find returns where the level of a prefix length stands, or is to stand.
func (f family[D]) find(bits int) (at int, ok bool) {
	return slices.BinarySearchFunc(f, bits, func(l level[D], bits int) int { return bits - l.bits })
}

// with returns a copy whose routes of one length are changed.
func (f family[D]) with(bits int, change func(map[netip.Addr]Route[D])) family[D] {
	f = slices.Clone(f)
	at, ok := f.find(bits)
	if !ok {
		f = slices.Insert(f, at, level[D]{bits, map[netip.Addr]Route[D]{}})
	}
	f[at].routes = maps.Clone(f[at].routes)
	if change(f[at].routes); len(f[at].routes) == 0 {
		f = slices.Delete(f, at, at+1)
	}
	return f
}

// Lookup returns the most specific route to an address.
func (t *Table[D]) Lookup(a netip.Addr) (Route[D], bool) {
	for _, level := range *t.family(a) {
		network, err := a.Prefix(level.bits)
		if err != nil {
			break
		}
		if r, ok := level.routes[network.Addr()]; ok {
			return r, true
		}
	}
	return Route[D]{}, false
}

// Routes lists the table in the order of `ip route`: of each family the default route first, then by address and length.
func (t *Table[D]) Routes() []Route[D] {
	var all []Route[D]
	for _, f := range []family[D]{t.v4, t.v6} {
		for _, level := range f {
			all = slices.AppendSeq(all, maps.Values(level.routes))
		}
	}
	slices.SortFunc(all, func(a, b Route[D]) int {
		if c := a.Prefix.Addr().Compare(b.Prefix.Addr()); c != 0 {
			return c
		}
		return a.Prefix.Bits() - b.Prefix.Bits()
	})
	return all
}

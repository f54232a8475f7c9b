package sim

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// source6 chooses the address that a packet to dst leaves with by an interface: the invalid Addr if the host has none (RFC 6724 5).
func (h *Host) source6(out *NIC, dst netip.Addr) netip.Addr {
	var best *Addr6
	var from *NIC
	for _, c := range h.nics {
		if c.six == nil || c != out && linkScope(dst) {
			continue
		}
		for _, a := range c.six.addrs {
			if a.State == Assigned && (best == nil || h.prefers(a, best, c == out, from == out, dst)) {
				best, from = a, c
			}
		}
	}
	if best == nil {
		return netip.Addr{}
	}
	return best.Addr()
}

// prefers reports whether a is a better source than b: by the rules of RFC 6724 5 in their order, those that hosts here can have a
// reason for.
func (h *Host) prefers(a, b *Addr6, aLeaves, bLeaves bool, dst netip.Addr) bool {
	now := h.time.Now()
	for _, better := range []int{
		yes(a.Addr() == dst) - yes(b.Addr() == dst),                                   // rule 1
		scopeOrder(scope(a.Addr()), scope(b.Addr()), scope(dst)),                      // rule 2
		yes(b.Deprecated(now)) - yes(a.Deprecated(now)),                               // rule 3
		yes(aLeaves) - yes(bLeaves),                                                   // rule 5
		yes(label(a.Addr()) == label(dst)) - yes(label(b.Addr()) == label(dst)),       // rule 6
		cmp.Compare(common(a.Addr(), dst, a.Bits()), common(b.Addr(), dst, b.Bits())), // rule 8
	} {
		if better != 0 {
			return better > 0
		}
	}
	return false
}

func yes(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Deprecated reports whether an address is still used, but not chosen any more (RFC 4862 5.5.4).
func (a *Addr6) Deprecated(now time.Time) bool {
	return !a.Preferred.IsZero() && !now.Before(a.Preferred)
}

// scope is how far an address reaches: 2 is the link, 14 the world (RFC 4291 2.7, RFC 6724 3.1).
func scope(a netip.Addr) int {
	switch {
	case a.IsMulticast():
		return int(a.As16()[1] & 15)
	case a.IsLinkLocalUnicast(), a.IsLoopback():
		return 2
	}
	return 14
}

// scopeOrder is rule 2: of two sources the one that reaches far enough, but no further than it has to.
func scopeOrder(a, b, dst int) int {
	if a < b {
		return yes(a >= dst) - yes(a < dst)
	}
	return -yes(a > b) * (yes(b >= dst) - yes(b < dst))
}

// label is the class of an address in the policy table (RFC 6724 2.1).
func label(a netip.Addr) int {
	for _, p := range policy {
		if p.prefix.Contains(a) {
			return p.label
		}
	}
	return 1
}

// policy is the table's rows for addresses that hosts here have, the longest prefixes first.
var policy = []struct {
	prefix netip.Prefix
	label  int
}{{netip.MustParsePrefix("::1/128"), 0}, {netip.MustParsePrefix("2001::/32"), 5}, {netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("fc00::/7"), 13}}

// common counts the leading bits that two addresses share, of a network's length at most.
func common(a, b netip.Addr, length int) (n int) {
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return min(8*i+bits.LeadingZeros8(d), length)
		}
	}
	return min(128, length)
}

// linkScope reports whether an address is meaningful on one link alone.
func linkScope(a netip.Addr) bool {
	return a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast()
}

// linkLocal implements zoned.
func (h *Host) linkLocal(zone string) (netip.Addr, error) {
	c, ok := h.NIC(zone)
	if !ok {
		return netip.Addr{}, errNoDevice
	}
	if c.six == nil || !c.six.linkLocal().IsValid() {
		return netip.Addr{}, errNoAddress
	}
	return c.six.linkLocal(), nil
}

// onLink is the way of what is for a neighbour or a group: by the interface whose address it has, or the first.
func (h *Host) onLink(l Lookup) Decision {
	for _, c := range h.nics {
		if c.six == nil || !c.Up() || l.Src.IsValid() && !c.has(l.Src) {
			continue
		}
		d := Decision{Kind: Unicast, NIC: c.name, Prefix: netip.PrefixFrom(l.Dst, 128), Src: h.source6(c, l.Dst)}
		if l.Dst.IsMulticast() {
			d.Kind = Multicast
		}
		return d
	}
	return Decision{Kind: NoRoute}
}

// Suits reports whether the host has a way to an address, and whether the source that it would choose is of the same kind (RFC 6724
// 6, rules 1 and 5): a unique local one and the world are not.
func (h *Host) Suits(dst netip.Addr) (reached, alike bool) {
	d := h.Way(dst.WithZone(""))
	reached = (d.Kind == Unicast || d.Kind == Local) && d.Src.IsValid()
	return reached, reached && (dst.Is4() || label(d.Src) == label(dst))
}

// HasGlobal6 reports whether the host has an address of IPv6 that reaches further than the link.
func (h *Host) HasGlobal6() bool {
	return slices.ContainsFunc(h.nics, func(c *NIC) bool {
		return slices.ContainsFunc(c.Addrs6(), func(a Addr6) bool { return a.State == Assigned && !a.Addr().IsLinkLocalUnicast() })
	})
}

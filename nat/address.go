package nat

import (
	"fmt"
	"maps"
	"net/netip"
	"time"

	"uswitch/arp"
	"uswitch/nat/route"
	"uswitch/switch/trace"
)

// nobody stands for the address of a leg that has none. As a sender's it means just that (RFC 5227 1.1), and it is the
// broadcast address of no network.
var nobody = netip.PrefixFrom(netip.IPv4Unspecified(), 32)

// self is who the leg is on its network. Both parts change together, or not at all.
func (i *Interface) self() arp.Self { return *i.own.Load() }

// SetAddr gives a leg on a network an address with the network's prefix, in place of those that it has; the network is
// routed there at once, and the address is announced as Add does it. The zero Prefix takes the addresses away, and with them
// every route by that leg and every neighbour, as Linux does when a device's last address goes.
func (g *Gateway) SetAddr(i *Interface, addr netip.Prefix, now time.Time) error {
	switch {
	case i.segment == nil:
		return fmt.Errorf("gateway: the address of %s is the uplink's", i.name)
	case addr.IsValid() && !addr.Addr().Is4():
		return fmt.Errorf("gateway: interface %s: address %v: want an IPv4 address with its prefix, as in 11.11.11.1/24", i.name, addr)
	}
	err := g.change(func(v *view) error {
		v.withoutAddr(i)
		return v.setAddrs(i, addr, nil)
	})
	if err != nil {
		return err
	}
	for _, h := range i.neighbors.Flush() {
		g.dropHeld(h, trace.Neighbor, trace.NeighRemoved, now)
	}
	i.announceSoon(now)
	return nil
}

// setAddrs notes the addresses of a leg that has none, the first of which may be the zero Prefix. It needs the gateway's lock.
func (v *view) setAddrs(i *Interface, first netip.Prefix, more []netip.Prefix) error {
	own := arp.Self{MAC: i.config.MAC, Addr: nobody, More: more}
	if first.IsValid() {
		own.Addr = first
		if err := v.setAddr(i, first); err != nil {
			return err
		}
	}
	for _, addr := range more {
		if err := v.setAddr(i, addr); err != nil {
			return err
		}
	}
	i.own.Store(&own)
	return nil
}

// setAddr leads what is for an address of a leg's to the gateway, and what is for its network there.
func (v *view) setAddr(i *Interface, addr netip.Prefix) (err error) {
	for _, other := range v.interfaces {
		for _, taken := range other.Addrs() {
			if other != i && taken.Overlaps(addr) { // two ways out as well: which would be the way back?
				return fmt.Errorf("gateway: %s %v overlaps %s %v: give one of them another subnet", i.name, addr, other.name, taken)
			}
		}
	}
	v.local = maps.Clone(v.local)
	v.local[addr.Addr()] = i
	v.routes, err = v.routes.With(route.Route[*Interface]{Prefix: addr.Masked(), Dev: i})
	return err
}

// withoutAddr takes a leg's address and its routes out of a view.
func (v *view) withoutAddr(i *Interface) {
	v.local = maps.Clone(v.local)
	maps.DeleteFunc(v.local, func(_ netip.Addr, o *Interface) bool { return o == i })
	for _, r := range v.routes.Routes() {
		if r.Dev == i {
			v.routes, _ = v.routes.Without(r.Prefix)
		}
	}
}

// announceSoon has the leg's addresses announced, if it has any and anybody could hear of it.
func (i *Interface) announceSoon(now time.Time) {
	if i.segment == nil || !i.Addr().IsValid() {
		i.announces.Store(0)
		return
	}
	i.announces.Store(2)
	i.announce.Store(int64(now.Sub(i.gw.epoch)))
	i.gw.arm(now)
}

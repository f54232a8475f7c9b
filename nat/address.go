package nat

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"uswitch/arp"
	"uswitch/nat/route"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// SetAddr gives an interface on a network an address with the network's prefix, in place of those that it has; the network is
// routed there at once, and the address is announced as Add does it. The zero Prefix takes the addresses away, and with them
// every route by that interface and every neighbour, as Linux does when a device's last address goes.
func (g *Gateway) SetAddr(i *Interface, addr netip.Prefix, now time.Time) error {
	switch {
	case i.segment == nil:
		return fmt.Errorf("gateway: the address of %s is the uplink's", i.name)
	case addr.IsValid() && !addr.Addr().Is4():
		return fmt.Errorf("gateway: interface %s: address %v: want an IPv4 address with its prefix, as in 11.11.11.1/24", i.name, addr)
	}
	err := g.change(func(v *view) error {
		v.withoutAddr(i, netip.Addr.Is4)
		return v.setAddrs(i, addr, nil, i.own.Load().V6)
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

// SetAddrs6 gives an interface addresses of IPv6 with their networks' prefixes, in place of those that it has; on a network a link-local
// one goes with them. None takes IPv6 away.
func (g *Gateway) SetAddrs6(i *Interface, addrs []netip.Prefix, now time.Time) error {
	config := i.config
	if config.V6 = addrs; len(addrs) > 0 {
		if err := config.check(); err != nil {
			return err
		}
	}
	err := g.change(func(v *view) error {
		v.withoutAddr(i, netip.Addr.Is6)
		own := i.own.Load()
		first := own.Addr
		if first == nobody {
			first = netip.Prefix{}
		}
		return v.setAddrs(i, first, own.More, i.withLinkLocal(addrs))
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

// withLinkLocal puts the address in front that every station of IPv6 has, unless it is among them: fe80:: and the MAC.
func (i *Interface) withLinkLocal(addrs []netip.Prefix) []netip.Prefix {
	if len(addrs) == 0 || i.segment == nil {
		return addrs
	}
	own, others := netip.PrefixFrom(frame.EUI64(frame.LinkLocal, i.config.MAC), frame.LinkLocal.Bits()), []netip.Prefix{}
	for _, a := range addrs {
		if a.Addr().IsLinkLocalUnicast() {
			own = a
		} else {
			others = append(others, a)
		}
	}
	return append([]netip.Prefix{own}, others...)
}

// Add puts the gateway onto a network or an uplink at now. The network's own prefix is routed there at once; on a network
// the address is announced twice, two seconds apart (RFC 5227 2.3).
func (g *Gateway) Add(c InterfaceConfig, now time.Time) (*Interface, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.MTU == 0 {
		c.MTU = 1500
	}
	i := &Interface{gw: g, number: g.number(c.Name), config: c, name: c.Name, uplink: c.Uplink, segment: c.Segment,
		neighbors: arp.New[held]()}
	i.own.Store(&arp.Self{MAC: c.MAC, Addr: nobody})
	i.advert.Store(c.Advert)
	i.binder, _ = c.Uplink.(Binder)
	i.machine, _ = c.Uplink.(Machiner)
	err := g.change(func(v *view) (err error) {
		for _, other := range v.interfaces {
			if other.name == c.Name {
				return fmt.Errorf("gateway: interface %s exists", c.Name)
			}
		}
		v.interfaces = append(slices.Clone(v.interfaces), i)
		return v.setAddrs(i, c.Addr, c.More, i.withLinkLocal(c.V6))
	})
	if err == nil {
		i.announceSoon(now)
	}
	return i, err
}

// Remove takes the gateway off a network or an uplink; its routes go with it. Packets that wait there are dropped.
func (g *Gateway) Remove(i *Interface) {
	_ = g.change(func(v *view) error {
		v.interfaces = slices.DeleteFunc(slices.Clone(v.interfaces), func(o *Interface) bool { return o == i })
		v.withoutAddr(i, netip.Addr.IsValid)
		return nil
	})
	for _, h := range i.neighbors.Flush() {
		g.dropHeld(h, trace.Neighbor, trace.NeighRemoved, h.p.now)
	}
}

// setAddrs notes the addresses of an interface that has none, the first of which may be the zero Prefix. It needs the gateway's lock.
func (v *view) setAddrs(i *Interface, first netip.Prefix, more, v6 []netip.Prefix) error {
	own := arp.Self{MAC: i.config.MAC, Addr: nobody, More: more, V6: v6}
	if first.IsValid() {
		own.Addr = first
		if err := v.setAddr(i, first); err != nil {
			return err
		}
	}
	for _, addr := range slices.Concat(more, v6) {
		if addr.Addr().Is6() && addr.Addr().IsLinkLocalUnicast() {
			continue // it means something else on each link
		}
		if err := v.setAddr(i, addr); err != nil {
			return err
		}
	}
	i.own.Store(&own)
	return nil
}

// setAddr leads what is for an address of an interface to the gateway, and what is for its network there.
func (v *view) setAddr(i *Interface, addr netip.Prefix) (err error) {
	for _, other := range v.interfaces {
		for _, taken := range other.allAddrs() {
			if other != i && !linkScope(taken.Addr()) && taken.Overlaps(addr) { // two ways out as well: which would be the way back?
				return fmt.Errorf("gateway: %s %v overlaps %s %v: give one of them another subnet", i.name, addr, other.name, taken)
			}
		}
	}
	v.local = maps.Clone(v.local)
	v.local[addr.Addr()] = i
	v.routes, err = v.routes.With(route.Route[*Interface]{Prefix: addr.Masked(), Dev: i})
	return err
}

// withoutAddr takes an interface's addresses of a family and its routes out of a view.
func (v *view) withoutAddr(i *Interface, family func(netip.Addr) bool) {
	v.local = maps.Clone(v.local)
	maps.DeleteFunc(v.local, func(a netip.Addr, o *Interface) bool { return o == i && family(a) })
	for _, r := range v.routes.Routes() {
		if r.Dev == i && family(r.Prefix.Addr()) {
			v.routes, _ = v.routes.Without(r.Prefix)
		}
	}
}

// announceSoon has the interface's addresses announced, if it has any and anybody could hear of it.
func (i *Interface) announceSoon(now time.Time) {
	if i.segment == nil || len(i.allAddrs()) == 0 {
		i.announces.Store(0)
		return
	}
	i.announces.Store(2)
	i.announce.Store(int64(now.Sub(i.gw.epoch)))
	i.gw.arm(now)
}

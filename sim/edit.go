package sim

import (
	"errors"
	"net/netip"
	"slices"

	"uswitch/nat/route"
	"uswitch/switch/frame"
)

// kernelError is an error in the words of Linux (strerror(3), and what ip(8) passes on).
type kernelError string

func (e kernelError) Error() string { return string(e) }

// ErrBadNexthop is what AddRoute says of a next hop that is on no network of the host's.
const ErrBadNexthop = kernelError("Nexthop has invalid gateway")

// What else the kernel says of what somebody on a host does to its cards and routes.
const (
	errExists    = kernelError("File exists")
	errNoAddress = kernelError("Cannot assign requested address")
	errDown      = kernelError("Network is down")
	errNoDevice  = kernelError("No such device")
	errNoIPv6    = kernelError("Permission denied")
)

// Card finds a card by its name.
func (h *Host) Card(name string) (*Card, bool) {
	i := slices.IndexFunc(h.cards, func(c *Card) bool { return c.name == name })
	if i < 0 {
		return nil, false
	}
	return h.cards[i], true
}

// RemoveCard takes a card out of the host, with every route over it.
func (h *Host) RemoveCard(c *Card) {
	c.unroute()
	c.timer.Stop()
	if c.six != nil {
		c.six.stop()
	}
	c.wire.PlugHost(func(frame.Frame) {})
	h.cards = slices.DeleteFunc(h.cards, func(o *Card) bool { return o == c })
}

// AddRoute adds a route. Without a card's name, the next hop says which one it leads over.
func (h *Host) AddRoute(r HostRoute) error {
	card, named := h.Card(r.Card)
	if r.Card != "" && !named {
		return errNoDevice
	}
	if r.Via.IsValid() && !(named && r.Via.IsLinkLocalUnicast() && r.Via.Is6()) { // else it is on the card's own link
		way, ok := h.routes.Lookup(r.Via)
		if !ok || !way.Connected() || named && way.Dev != card {
			return ErrBadNexthop
		}
		card = way.Dev
	}
	switch {
	case card == nil:
		return errNoDevice
	case !card.Up():
		return errDown
	case h.routed(r.Prefix):
		return errExists
	case r.Prefix.Addr().Is6() && card.six == nil:
		return errNoIPv6
	}
	routes, err := h.routes.With(route.Route[*Card]{Prefix: r.Prefix.Masked(), Via: r.Via, Dev: card})
	if err == nil {
		h.routes = routes
	}
	return err
}

func (h *Host) routed(p netip.Prefix) bool {
	return slices.ContainsFunc(h.routes.Routes(), func(r route.Route[*Card]) bool { return r.Prefix == p.Masked() })
}

// DeleteRoute takes the route to a prefix away, and reports whether there was one.
func (h *Host) DeleteRoute(p netip.Prefix) (ok bool) {
	h.routes, ok = h.routes.Without(p.Masked())
	return ok
}

// unroute takes every route over the card away.
func (c *Card) unroute() {
	for _, r := range c.host.routes.Routes() {
		if r.Dev == c {
			c.host.routes, _ = c.host.routes.Without(r.Prefix)
		}
	}
}

// MTU returns the largest packet that the card sends, in bytes.
func (c *Card) MTU() int { return c.mtu }

// SetMTU changes the largest packet that the card sends.
// Of a link that becomes too narrow IPv6 goes, and comes back with one that is wide enough (addrconf_notify of net/ipv6/addrconf.c).
func (c *Card) SetMTU(bytes int) {
	before := c.mtu
	c.mtu = bytes
	switch narrow := bytes < frame.IPv6MinMTU; {
	case c.six == nil || narrow == (before < frame.IPv6MinMTU):
	case narrow:
		c.unroute6()
	default:
		c.six.start()
	}
}

// SetMAC changes the hardware address. What the card knew of its neighbours is forgotten, as in Linux.
func (c *Card) SetMAC(mac frame.MAC) {
	c.self.MAC = mac
	c.neighbors.Flush()
}

// Up reports whether the card is up.
func (c *Card) Up() bool { return c.wire.Up() }

// SetUp takes the card up or down as `ip link set` does it: a card that goes down loses its routes and neighbours, and
// only the route to its own network comes back with it.
func (c *Card) SetUp(up bool) {
	if up == c.Up() {
		return
	}
	c.wire.SetUp(up)
	if !up {
		c.unroute()
		c.unroute6()
		c.neighbors.Flush()
		return
	}
	_ = c.connect() // an address that had a route before has one again
	if c.six != nil {
		c.six.start()
	}
}

// unroute6 takes IPv6 off the card, as far as that lasts only while it is up: its addresses, and every route over it.
func (c *Card) unroute6() {
	if c.six == nil {
		return
	}
	c.six.stop()
	for _, r := range c.host.routes.Routes() {
		if r.Dev == c && r.Prefix.Addr().Is6() {
			c.host.DeleteRoute(r.Prefix)
		}
	}
}

// AddAddr gives the card its address. A simulated card has room for one of IPv4; one of IPv6 may be used once nobody else on the
// link has it, or with nodad at once.
func (c *Card) AddAddr(a netip.Prefix, nodad bool) error {
	switch {
	case a.Addr().Is6():
		return c.addAddr6(a, nodad)
	case c.self.Addr == a:
		return errExists
	case c.self.Addr.IsValid():
		return errors.New("a simulated card has one address, and this one has " + c.self.Addr.String())
	}
	c.self.Addr = a
	if !c.Up() {
		return nil
	}
	return c.connect()
}

// DeleteAddr takes the card's address away, and every route over the card with it.
func (c *Card) DeleteAddr(a netip.Prefix, _ bool) error {
	if a.Addr().Is6() {
		return c.deleteAddr6(a)
	}
	if c.self.Addr != a {
		return errNoAddress
	}
	c.self.Addr = netip.Prefix{}
	c.unroute()
	return nil
}

// addAddr6 gives the card one more address of IPv6.
func (c *Card) addAddr6(a netip.Prefix, nodad bool) error {
	switch {
	case c.six == nil:
		return errNoIPv6
	case slices.ContainsFunc(c.six.addrs, func(o *Addr6) bool { return o.Addr() == a.Addr() }):
		return errExists
	}
	c.six.add(&Addr6{Prefix: a, NoDAD: nodad})
	return nil
}

// deleteAddr6 takes an address of IPv6 away, and the route to its network with the last one in it.
func (c *Card) deleteAddr6(a netip.Prefix) error {
	if c.six == nil || !slices.ContainsFunc(c.six.addrs, func(o *Addr6) bool { return o.Prefix == a }) {
		return errNoAddress
	}
	c.six.addrs = slices.DeleteFunc(c.six.addrs, func(o *Addr6) bool { return o.Prefix == a })
	if !slices.ContainsFunc(c.six.addrs, func(o *Addr6) bool { return o.Masked() == a.Masked() }) {
		c.host.DeleteRoute(a.Masked())
	}
	return nil
}

// SetNeighbor enters a neighbour that is not asked for and not forgotten.
func (c *Card) SetNeighbor(a netip.Addr, mac frame.MAC) {
	for _, b := range c.neighbors.SetPermanent(a, mac, c.time.Now()) {
		c.sendTo(b, mac)
	}
}

// RemoveNeighbor forgets a neighbour, and reports whether there was one. What waited for it is lost.
func (c *Card) RemoveNeighbor(a netip.Addr) (ok bool) {
	_, ok = c.neighbors.Remove(a)
	return ok
}

// FlushNeighbors forgets every neighbour that was not entered by hand.
func (c *Card) FlushNeighbors() { c.neighbors.Flush() }

// Ask asks the network for the hardware address of an address, past the neighbour table, as arping does; heard is called
// with each answer until Ask is called for the same address with nil.
func (c *Card) Ask(a netip.Addr, heard func(frame.MAC)) {
	if heard == nil {
		delete(c.asked, a)
		return
	}
	c.asked[a] = heard
	if !c.self.Addr.IsValid() {
		return // there is nobody whom it could be told
	}
	c.ask(frame.Broadcast, a, netip.Addr{})
}

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

// What else the kernel says of what somebody on a host does to its interfaces and routes.
const (
	errExists    = kernelError("File exists")
	errNoAddress = kernelError("Cannot assign requested address")
	errDown      = kernelError("Network is down")
	errNoDevice  = kernelError("No such device")
	errNoIPv6    = kernelError("Permission denied")
)

// NIC finds an interface by its name.
func (h *Host) NIC(name string) (*NIC, bool) {
	i := slices.IndexFunc(h.nics, func(c *NIC) bool { return c.name == name })
	if i < 0 {
		return nil, false
	}
	return h.nics[i], true
}

// RemoveNIC takes an interface out of the host, with every route over it.
func (h *Host) RemoveNIC(c *NIC) {
	c.unroute()
	c.timer.Stop()
	if c.six != nil {
		c.six.stop()
	}
	c.wire.PlugHost(func(frame.Frame) {})
	h.nics = slices.DeleteFunc(h.nics, func(o *NIC) bool { return o == c })
}

// AddRoute adds a route. Without an interface's name, the next hop says which one it leads over.
func (h *Host) AddRoute(r HostRoute) error {
	nic, named := h.NIC(r.NIC)
	if r.NIC != "" && !named {
		return errNoDevice
	}
	if r.Via.IsValid() && !(named && r.Via.IsLinkLocalUnicast() && r.Via.Is6()) { // else it is on the interface's own link
		way, ok := h.routes.Lookup(r.Via)
		if !ok || !way.Connected() || named && way.Dev != nic {
			return ErrBadNexthop
		}
		nic = way.Dev
	}
	switch {
	case nic == nil:
		return errNoDevice
	case !nic.Up():
		return errDown
	case h.routed(r.Prefix):
		return errExists
	case r.Prefix.Addr().Is6() && nic.six == nil:
		return errNoIPv6
	}
	routes, err := h.routes.With(route.Route[*NIC]{Prefix: r.Prefix.Masked(), Via: r.Via, Dev: nic})
	if err == nil {
		h.routes = routes
	}
	return err
}

func (h *Host) routed(p netip.Prefix) bool {
	return slices.ContainsFunc(h.routes.Routes(), func(r route.Route[*NIC]) bool { return r.Prefix == p.Masked() })
}

// DeleteRoute takes the route to a prefix away, and reports whether there was one.
func (h *Host) DeleteRoute(p netip.Prefix) (ok bool) {
	h.routes, ok = h.routes.Without(p.Masked())
	return ok
}

// unroute takes every route over the interface away.
func (c *NIC) unroute() {
	for _, r := range c.host.routes.Routes() {
		if r.Dev == c {
			c.host.routes, _ = c.host.routes.Without(r.Prefix)
		}
	}
}

// MTU returns the largest packet that the interface sends, in bytes.
func (c *NIC) MTU() int { return c.mtu }

// SetMTU changes the largest packet that the interface sends.
// Of a link that becomes too narrow IPv6 goes, and comes back with one that is wide enough (addrconf_notify of net/ipv6/addrconf.c).
func (c *NIC) SetMTU(bytes int) {
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

// SetMAC changes the hardware address. What the interface knew of its neighbours is forgotten, as in Linux.
func (c *NIC) SetMAC(mac frame.MAC) {
	c.self.MAC = mac
	c.neighbors.Flush()
}

// Up reports whether the interface is up.
func (c *NIC) Up() bool { return c.wire.Up() }

// SetUp takes the interface up or down as `ip link set` does it: an interface that goes down loses its routes and neighbours, and
// only the route to its own network comes back with it.
func (c *NIC) SetUp(up bool) {
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

// unroute6 takes IPv6 off the interface, as far as that lasts only while it is up: its addresses, and every route over it.
func (c *NIC) unroute6() {
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

// AddAddr gives the interface its address. A simulated interface has room for one of IPv4; one of IPv6 may be used once nobody else on the
// link has it, or with nodad at once.
func (c *NIC) AddAddr(a netip.Prefix, nodad bool) error {
	switch {
	case a.Addr().Is6():
		return c.addAddr6(a, nodad)
	case c.self.Addr == a:
		return errExists
	case c.self.Addr.IsValid():
		return errors.New("a simulated interface has one address, and this one has " + c.self.Addr.String())
	}
	c.self.Addr = a
	if !c.Up() {
		return nil
	}
	return c.connect()
}

// DeleteAddr takes the interface's address away, and every route over the interface with it.
func (c *NIC) DeleteAddr(a netip.Prefix, _ bool) error {
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

// addAddr6 gives the interface one more address of IPv6.
func (c *NIC) addAddr6(a netip.Prefix, nodad bool) error {
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
func (c *NIC) deleteAddr6(a netip.Prefix) error {
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
func (c *NIC) SetNeighbor(a netip.Addr, mac frame.MAC) {
	for _, b := range c.neighbors.SetPermanent(a, mac, c.time.Now()) {
		c.sendTo(b, mac)
	}
}

// RemoveNeighbor forgets a neighbour, and reports whether there was one. What waited for it is lost.
func (c *NIC) RemoveNeighbor(a netip.Addr) (ok bool) {
	_, ok = c.neighbors.Remove(a)
	return ok
}

// FlushNeighbors forgets every neighbour that was not entered by hand.
func (c *NIC) FlushNeighbors() { c.neighbors.Flush() }

// Ask asks the network for the hardware address of an address, past the neighbour table, as arping does; heard is called
// with each answer until Ask is called for the same address with nil.
func (c *NIC) Ask(a netip.Addr, heard func(frame.MAC)) {
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

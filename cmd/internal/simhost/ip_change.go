package simhost

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"

	"uswitch/cmd/internal/control/api"
	"uswitch/nat/route"
	"uswitch/sim"
	"uswitch/switch/frame"
)

// What ip changes on a simulated host.

func (h host) changeRoute(forget bool, c api.RouteChange) error {
	old, exists := h.route(c.Dst)
	switch {
	case c.Dst != c.Dst.Masked():
		return &api.Error{Status: 2, Message: "Error: Invalid prefix for given prefix length."}
	case forget && (!exists || c.Via.IsValid() && c.Via != old.Via || c.Dev != "" && c.Dev != old.Dev.Name()):
		return kernel("No such process")
	case forget:
		h.Host.DeleteRoute(c.Dst)
		return nil
	case !exists && c.Change:
		return kernel("No such file or directory")
	case exists && (c.Replace || c.Change):
		h.Host.DeleteRoute(c.Dst)
	}
	err := h.Host.AddRoute(sim.HostRoute{Prefix: c.Dst, Via: c.Via, NIC: c.Dev})
	if err == nil {
		return nil
	}
	if exists && (c.Replace || c.Change) {
		_ = h.Host.AddRoute(sim.HostRoute{Prefix: old.Prefix, Via: old.Via, NIC: old.Dev.Name()}) // as it was
	}
	if errors.Is(err, sim.ErrBadNexthop) {
		return &api.Error{Status: 2, Message: "Error: Nexthop has invalid gateway."}
	}
	return kernel(err.Error())
}

func (h host) route(p netip.Prefix) (route.Route[*sim.NIC], bool) {
	routes := h.Host.Routes()
	i := slices.IndexFunc(routes, func(r route.Route[*sim.NIC]) bool { return r.Prefix == p })
	if i < 0 {
		return route.Route[*sim.NIC]{}, false
	}
	return routes[i], true
}

func (h host) changeNeighbor(forget bool, c api.NeighborChange) error {
	known := slices.ContainsFunc(h.Host.Neighbors(h.Loop().Now()), func(n sim.Neighbor) bool { return n.Addr == c.Dst && n.NIC == c.Dev })
	for _, nic := range h.Host.NICs() {
		if c.Dev != "" && nic.Name() != c.Dev {
			continue
		}
		switch {
		case forget && !c.Dst.IsValid():
			nic.FlushNeighbors()
		case forget:
			if !nic.RemoveNeighbor(c.Dst) {
				return kernel("No such file or directory")
			}
		case known && !c.Replace && !c.Change:
			return kernel("File exists")
		case !known && c.Change:
			return kernel("No such file or directory")
		default:
			nic.SetNeighbor(c.Dst, c.Lladdr)
		}
	}
	return nil
}

// device finds an interface by its name.
func (h host) device(name string) (*sim.Device, error) {
	for _, d := range h.Devices() {
		if d.Name() == name {
			return d, nil
		}
	}
	return nil, refuse("Cannot find device %q", name)
}

// linkSet does ip link set [dev] NAME up|down|mtu N|address MAC|addrgenmode eui64|random ...
func (h host) linkSet(words []string) error {
	if words[0] == "dev" {
		words = words[1:]
	}
	if len(words) < 2 {
		return refuse("Not enough information: want ip link set NAME up, down, mtu N or address MAC")
	}
	d, err := h.device(words[0])
	if err != nil {
		return err
	}
	var changes []func()
	for words = words[1:]; len(words) > 0; words = words[1:] {
		switch words[0] {
		case "up", "down":
			up := words[0] == "up"
			changes = append(changes, func() { d.SetUp(up) })
			continue
		case "mtu", "address", "addrgenmode":
		default:
			return refuse("Error: %q cannot be simulated: want up, down, mtu N, address MAC or addrgenmode eui64 or random", words[0])
		}
		if len(words) < 2 {
			return refuse("Command line is not complete. Try option \"help\"")
		}
		change, err := setting(d.NIC(), words[0], words[1])
		if err != nil {
			return err
		}
		changes, words = append(changes, change), words[1:]
	}
	for _, change := range changes {
		change()
	}
	d.Changed()
	return nil
}

// setting reads one setting of an interface with its value.
func setting(c *sim.NIC, what, value string) (change func(), err error) {
	if what == "addrgenmode" {
		if value != "eui64" && value != "random" {
			return nil, refuse("Error: addrgenmode %q cannot be simulated: want eui64 or random", value)
		}
		return func() { c.SetStable(value == "random") }, nil
	}
	if what == "mtu" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 68 || n > 65521 {
			return nil, kernel("Invalid argument: want an MTU of 68 to 65521")
		}
		return func() { c.SetMTU(n) }, nil
	}
	mac, err := frame.ParseMAC(value)
	if err != nil || !mac.IsStation() {
		return nil, kernel("Cannot assign requested address")
	}
	return func() { c.SetMAC(mac) }, nil
}

// addrChange does ip addr add|del ADDRESS dev NAME.
func (h host) addrChange(words []string, change func(c *sim.NIC, a netip.Prefix, nodad bool) error) error {
	if i := slices.Index(words, "brd"); i > 0 && i+1 < len(words) {
		words = slices.Delete(slices.Clone(words), i, i+2) // the broadcast address is what it always is
	}
	nodad := slices.Contains(words, "nodad")
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "nodad" })
	if len(words) != 3 || words[1] != "dev" {
		return refuse("want: ip addr add|del ADDRESS/LENGTH dev NAME [nodad]")
	}
	p, err := netip.ParsePrefix(words[0])
	if a, single := netip.ParseAddr(words[0]); single == nil {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	if err != nil || p.Addr().Is4In6() || nodad && p.Addr().Is4() {
		return refuse("Error: any valid prefix is expected rather than %q.", words[0])
	}
	d, err := h.device(words[2])
	if err != nil {
		return err
	}
	if err := change(d.NIC(), p, nodad); err != nil {
		return kernel(err.Error())
	}
	return nil
}

// addrFlush does ip addr flush dev NAME.
func (h host) addrFlush(words []string) error {
	if len(words) != 2 || words[0] != "dev" {
		return refuse("want: ip addr flush dev NAME")
	}
	d, err := h.device(words[1])
	if err != nil {
		return err
	}
	_ = d.NIC().DeleteAddr(d.NIC().Addr(), false)
	for _, a := range d.NIC().Addrs6() {
		_ = d.NIC().DeleteAddr(a.Prefix, false)
	}
	return nil
}

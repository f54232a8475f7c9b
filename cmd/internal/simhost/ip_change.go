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

func (s *space) changeRoute(forget bool, c api.RouteChange) error {
	old, exists := s.route(c.Dst)
	switch {
	case c.Dst != c.Dst.Masked():
		return &api.Error{Status: 2, Message: "Error: Invalid prefix for given prefix length."}
	case forget && (!exists || c.Via.IsValid() && c.Via != old.Via || c.Dev != "" && c.Dev != old.Dev.Name()):
		return kernel("No such process")
	case forget:
		s.machine.DeleteRoute(c.Dst)
		return nil
	case !exists && c.Change:
		return kernel("No such file or directory")
	case exists && (c.Replace || c.Change):
		s.machine.DeleteRoute(c.Dst)
	}
	err := s.machine.AddRoute(sim.HostRoute{Prefix: c.Dst, Via: c.Via, Card: c.Dev})
	if err == nil {
		return nil
	}
	if exists && (c.Replace || c.Change) {
		_ = s.machine.AddRoute(sim.HostRoute{Prefix: old.Prefix, Via: old.Via, Card: old.Dev.Name()}) // as it was
	}
	if errors.Is(err, sim.ErrBadNexthop) {
		return &api.Error{Status: 2, Message: "Error: Nexthop has invalid gateway."}
	}
	return kernel(err.Error())
}

func (s *space) route(p netip.Prefix) (route.Route[*sim.Card], bool) {
	routes := s.machine.Routes()
	i := slices.IndexFunc(routes, func(r route.Route[*sim.Card]) bool { return r.Prefix == p })
	if i < 0 {
		return route.Route[*sim.Card]{}, false
	}
	return routes[i], true
}

func (s *space) changeNeighbor(forget bool, c api.NeighborChange) error {
	known := slices.ContainsFunc(s.machine.Neighbors(s.owner.loop.Now()), func(n sim.Neighbor) bool { return n.Addr == c.Dst && n.Card == c.Dev })
	for _, card := range s.machine.Cards() {
		if c.Dev != "" && card.Name() != c.Dev {
			continue
		}
		switch {
		case forget && !c.Dst.IsValid():
			card.FlushNeighbors()
		case forget:
			if !card.RemoveNeighbor(c.Dst) {
				return kernel("No such file or directory")
			}
		case known && !c.Replace && !c.Change:
			return kernel("File exists")
		case !known && c.Change:
			return kernel("No such file or directory")
		default:
			card.SetNeighbor(c.Dst, c.Lladdr)
		}
	}
	return nil
}

// device finds a card by its name.
func (s *space) device(name string) (*Device, error) {
	for _, d := range s.plugged() {
		if d.name == name {
			return d, nil
		}
	}
	return nil, refuse("Cannot find device %q", name)
}

// linkSet does ip link set [dev] NAME up|down|mtu N|address MAC ...
func (s *space) linkSet(words []string) error {
	if words[0] == "dev" {
		words = words[1:]
	}
	if len(words) < 2 {
		return refuse("Not enough information: want ip link set NAME up, down, mtu N or address MAC")
	}
	d, err := s.device(words[0])
	if err != nil {
		return err
	}
	var changes []func()
	for words = words[1:]; len(words) > 0; words = words[1:] {
		switch words[0] {
		case "up", "down":
			up := words[0] == "up"
			changes = append(changes, func() { d.card.SetUp(up); d.down.Store(!up) })
			continue
		case "mtu", "address":
		default:
			return refuse("Error: %q cannot be simulated: want up, down, mtu N or address MAC", words[0])
		}
		if len(words) < 2 {
			return refuse("Command line is not complete. Try option \"help\"")
		}
		change, err := d.setting(words[0], words[1])
		if err != nil {
			return err
		}
		changes, words = append(changes, change), words[1:]
	}
	for _, change := range changes {
		change()
	}
	d.tellWatchers()
	return nil
}

// setting reads one setting of a card with its value.
func (d *Device) setting(what, value string) (change func(), err error) {
	if what == "mtu" {
		n, err := strconv.Atoi(value)
		if err != nil || n < 68 || n > 65521 {
			return nil, kernel("Invalid argument: want an MTU of 68 to 65521")
		}
		return func() { d.card.SetMTU(n) }, nil
	}
	mac, err := frame.ParseMAC(value)
	if err != nil || !mac.IsStation() {
		return nil, kernel("Cannot assign requested address")
	}
	return func() { d.card.SetMAC(mac) }, nil
}

// addrChange does ip addr add|del ADDRESS dev NAME.
func (s *space) addrChange(words []string, change func(*sim.Card, netip.Prefix) error) error {
	if i := slices.Index(words, "brd"); i > 0 && i+1 < len(words) {
		words = slices.Delete(slices.Clone(words), i, i+2) // the broadcast address is what it always is
	}
	if len(words) != 3 || words[1] != "dev" {
		return refuse("want: ip addr add|del ADDRESS/LENGTH dev NAME")
	}
	p, err := netip.ParsePrefix(words[0])
	if a, single := netip.ParseAddr(words[0]); single == nil {
		p, err = netip.PrefixFrom(a, 32), nil
	}
	if err != nil || !p.Addr().Is4() {
		return refuse("Error: any valid prefix is expected rather than %q.", words[0])
	}
	d, err := s.device(words[2])
	if err != nil {
		return err
	}
	if err := change(d.card, p); err != nil {
		return kernel(err.Error())
	}
	return nil
}

// addrFlush does ip addr flush dev NAME.
func (s *space) addrFlush(words []string) error {
	if len(words) != 2 || words[0] != "dev" {
		return refuse("want: ip addr flush dev NAME")
	}
	d, err := s.device(words[1])
	if err != nil {
		return err
	}
	_ = d.card.DeleteAddr(d.card.Addr())
	return nil
}

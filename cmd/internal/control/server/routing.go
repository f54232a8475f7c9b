package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/world"
	"uswitch/nat"
	"uswitch/nat/route"
)

// addAddress gives the gateway an address on a network, where it has one at most.
func (s *Server) addAddress(r *http.Request) (any, error) {
	c, n, err := s.readAddress(r)
	if err != nil {
		return nil, err
	}
	s.routing.Lock()
	defer s.routing.Unlock()
	switch has := n.Address(); {
	case has.IsValid() && has.Addr() == c.Address.Addr():
		return nil, kernel("Error: ipv4: Address already assigned.")
	case has.IsValid():
		return nil, kernel("Error: %s has %v already, and the gateway has one address on a network: ip addr del %v dev %s first.", c.Dev, has, has, c.Dev)
	}
	return made(s.world.SetAddress(c.Dev, c.Address))
}

func (s *Server) deleteAddress(r *http.Request) (any, error) {
	c, n, err := s.readAddress(r)
	if err != nil {
		return nil, err
	}
	s.routing.Lock()
	defer s.routing.Unlock()
	// Without a length, ip asks for a /32, and the kernel takes the address of whatever length for it.
	if has := n.Address(); has.Addr() != c.Address.Addr() || !c.Address.IsSingleIP() && has != c.Address {
		return nil, kernel("Error: ipv4: Address not found.")
	}
	return made(s.world.SetAddress(c.Dev, netip.Prefix{}))
}

func (s *Server) readAddress(r *http.Request) (c api.AddressChange, n *world.Network, err error) {
	if err := decode(r, &c); err != nil {
		return c, nil, err
	}
	if _, err = s.segment(c.Dev); err != nil {
		return c, nil, err
	}
	if n = s.world.Network(c.Dev); n == nil || !c.Address.Addr().Is4() {
		err = kernel("RTNETLINK answers: Invalid argument")
	}
	return c, n, err
}

// kernel returns an error in the words with which ip passes on what the kernel says, and ip's status for it.
func kernel(format string, args ...any) error {
	return &api.Error{Code: http.StatusUnprocessableEntity, Status: 2, Message: fmt.Sprintf(format, args...)}
}

func (s *Server) addRoute(r *http.Request) (any, error) {
	var c api.RouteChange
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	if c.Dst != c.Dst.Masked() {
		return nil, kernel("Error: Invalid prefix for given prefix length.")
	}
	s.routing.Lock()
	defer s.routing.Unlock()
	g := s.world.Gateway()
	_, exists := find(g.Routes(), c.Dst)
	switch {
	case exists && !c.Replace && !c.Change:
		return nil, kernel("RTNETLINK answers: File exists")
	case !exists && c.Change:
		return nil, kernel("RTNETLINK answers: No such file or directory")
	}
	dev, err := s.wayTo(c)
	if err != nil {
		return nil, err
	}
	if s.typed == nil {
		s.typed = map[netip.Prefix]bool{}
	}
	s.typed[c.Dst] = true
	return done{}, g.AddRoute(c.Dst, c.Via, dev)
}

// wayTo finds the interface of a new route. The next hop must be a neighbour (fib_check_nh in the kernel).
func (s *Server) wayTo(c api.RouteChange) (*nat.Interface, error) {
	g := s.world.Gateway()
	dev, found := g.Interface(c.Dev)
	switch {
	case c.Dev != "" && !found:
		return nil, kernel("RTNETLINK answers: No such device")
	case c.Via.IsValid():
		for _, i := range g.Interfaces() {
			near := func(own netip.Prefix) bool { return own.Contains(c.Via) && own.Addr() != c.Via }
			if slices.ContainsFunc(append(i.Addrs6(), i.Addr()), near) && (dev == nil || dev == i) {
				return i, nil
			}
		}
		return nil, kernel("Error: Nexthop has invalid gateway.")
	case dev == nil:
		return nil, kernel("RTNETLINK answers: No such device")
	}
	if n := s.world.Network(c.Dev); n != nil && n.Plan.Down {
		return nil, kernel("Error: Device for nexthop is not up.")
	}
	return dev, nil
}

func (s *Server) deleteRoute(r *http.Request) (any, error) {
	var c api.RouteChange
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	s.routing.Lock()
	defer s.routing.Unlock()
	g := s.world.Gateway()
	old, exists := find(g.Routes(), c.Dst)
	if !exists || c.Via.IsValid() && c.Via != old.Via || c.Dev != "" && c.Dev != old.Dev.Name() || !g.RemoveRoute(c.Dst) {
		return nil, kernel("RTNETLINK answers: No such process")
	}
	return done{}, nil
}

func find(routes []route.Route[*nat.Interface], dst netip.Prefix) (r route.Route[*nat.Interface], ok bool) {
	for _, r := range routes {
		if r.Prefix == dst {
			return r, true
		}
	}
	return r, false
}

func (s *Server) addNeighbor(r *http.Request) (any, error) {
	var c api.NeighborChange
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	dev, err := s.segment(c.Dev)
	if err != nil {
		return nil, err
	}
	now, exists := s.world.Now(), false
	for _, n := range dev.Neighbors(now) {
		exists = exists || n.Addr == c.Dst
	}
	switch {
	case !c.Lladdr.IsStation() || !c.Dst.Is4():
		return nil, kernel("RTNETLINK answers: Invalid argument")
	case exists && !c.Replace && !c.Change:
		return nil, kernel("RTNETLINK answers: File exists")
	case !exists && c.Change:
		return nil, kernel("RTNETLINK answers: No such file or directory")
	}
	dev.SetNeighbor(c.Dst, c.Lladdr, now)
	return done{}, nil
}

// deleteNeighbors forgets one neighbour, or flushes an interface, or all of them.
func (s *Server) deleteNeighbors(r *http.Request) (any, error) {
	var c api.NeighborChange
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	now, ifaces := s.world.Now(), s.world.Gateway().Interfaces()
	if c.Dev != "" {
		dev, err := s.segment(c.Dev)
		if err != nil {
			return nil, err
		}
		ifaces = []*nat.Interface{dev}
	}
	if c.Dst.IsValid() {
		if !ifaces[0].RemoveNeighbor(c.Dst, now) {
			return nil, kernel("RTNETLINK answers: No such file or directory")
		}
		return done{}, nil
	}
	for _, iface := range ifaces {
		iface.FlushNeighbors(now)
	}
	return done{}, nil
}

// segment finds an interface that has neighbours.
func (s *Server) segment(name string) (*nat.Interface, error) {
	dev, ok := s.world.Gateway().Interface(name)
	switch {
	case !ok:
		return nil, kernel("RTNETLINK answers: No such device")
	case dev.IsUplink():
		return nil, kernel("RTNETLINK answers: Invalid argument")
	}
	return dev, nil
}

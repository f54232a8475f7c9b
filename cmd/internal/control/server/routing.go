package server

import (
	"fmt"
	"net/http"
	"net/netip"

	"uswitch/cmd/internal/control/api"
	"uswitch/nat"
	"uswitch/nat/route"
)

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
			if i.Addr().Contains(c.Via) && i.Addr().Addr() != c.Via && (dev == nil || dev == i) {
				return i, nil
			}
		}
		return nil, kernel("Error: Nexthop has invalid gateway.")
	case dev == nil:
		return nil, kernel("RTNETLINK answers: No such device")
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

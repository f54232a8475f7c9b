package server

import (
	"net/http"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/nat"
)

func (s *Server) addNeighbor(r *http.Request) (any, error) {
	var c api.NeighborChange
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	dev, err := s.segment(c.Dev)
	if err != nil {
		return nil, err
	}
	now, exists := time.Now(), false
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
	now, legs := time.Now(), s.world.Gateway().Interfaces()
	if c.Dev != "" {
		dev, err := s.segment(c.Dev)
		if err != nil {
			return nil, err
		}
		legs = []*nat.Interface{dev}
	}
	if c.Dst.IsValid() {
		if !legs[0].RemoveNeighbor(c.Dst, now) {
			return nil, kernel("RTNETLINK answers: No such file or directory")
		}
		return done{}, nil
	}
	for _, leg := range legs {
		leg.FlushNeighbors(now)
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

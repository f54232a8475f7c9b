package server

import (
	"net/http"
	"net/netip"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/nat"
)

// addAddress gives the gateway an address on a network, where it has one at most.
func (s *Server) addAddress(r *http.Request) (any, error) {
	c, leg, err := s.readAddress(r)
	if err != nil {
		return nil, err
	}
	s.routing.Lock()
	defer s.routing.Unlock()
	switch has := leg.Addr(); {
	case has.IsValid() && has.Addr() == c.Address.Addr():
		return nil, kernel("Error: ipv4: Address already assigned.")
	case has.IsValid():
		return nil, kernel("Error: %s has %v already, and the gateway has one address on a network: ip addr del %v dev %s first.", c.Dev, has, has, c.Dev)
	}
	return done{}, s.world.Gateway().SetAddr(leg, c.Address, time.Now())
}

func (s *Server) deleteAddress(r *http.Request) (any, error) {
	c, leg, err := s.readAddress(r)
	if err != nil {
		return nil, err
	}
	s.routing.Lock()
	defer s.routing.Unlock()
	// Without a length, ip asks for a /32, and the kernel takes the address of whatever length for it.
	if has := leg.Addr(); has.Addr() != c.Address.Addr() || !c.Address.IsSingleIP() && has != c.Address {
		return nil, kernel("Error: ipv4: Address not found.")
	}
	return done{}, s.world.Gateway().SetAddr(leg, netip.Prefix{}, time.Now())
}

func (s *Server) readAddress(r *http.Request) (c api.AddressChange, leg *nat.Interface, err error) {
	if err := decode(r, &c); err != nil {
		return c, nil, err
	}
	leg, err = s.segment(c.Dev)
	if err == nil && !c.Address.Addr().Is4() {
		err = kernel("RTNETLINK answers: Invalid argument")
	}
	return c, leg, err
}

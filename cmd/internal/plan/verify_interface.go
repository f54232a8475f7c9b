package plan

import (
	"fmt"

	"uswitch/switch/frame"
	"uswitch/switch/ipam"
)

// VerifyInterface accepts an interface that can be added to a host of the plan, or to one that is about to be added.
func (p *Plan) VerifyInterface(h *Host, i *Interface) error {
	n := p.Network(i.Network)
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("host %s on %s: %w", h.Name, clip(i.Network, MaxName), fmt.Errorf(format, args...))
	}
	if n == nil {
		return wrong("%s", p.noNetwork())
	}
	switch h.Mode { // the sentences are Docker's
	case ModeOwn:
	case ModeNone:
		return wrong("container cannot be connected to multiple networks with one of the networks in private (none) mode")
	default:
		return wrong("container sharing network namespace with another container or host cannot be connected to any other network")
	}
	if err := ValidateInterfaceName(i.Name); err != nil {
		return wrong("%w", err)
	}
	for _, other := range h.Interfaces {
		switch {
		case other.Network == i.Network:
			return wrong("it is there already, with %s", other.Name)
		case other.Name == i.Name:
			return wrong("%s is the name of its interface on %s", i.Name, other.Network)
		}
	}
	switch {
	case i.Address.Bits() != n.Subnet.Bits() || !stationIn(n.Subnet, i.Address.Addr()):
		return wrong("%v: %w: want the address of a station in %v, and its length", i.Address, ipam.ErrOutOfRange, n.Subnet)
	case !i.MAC.IsStation():
		return wrong("%v: no station can have this MAC address", i.MAC)
	case i.MTU < minMTU || i.MTU > maxMTU:
		return wrong("mtu %d: want a whole number from %d to %d", i.MTU, minMTU, maxMTU)
	}
	if owner := p.owner(n, i); owner != "" {
		return wrong("%v %v: %w: %s has it", i.Address.Addr(), i.MAC, ipam.ErrInUse, owner)
	}
	for _, alias := range i.Aliases {
		if err := ValidateName("alias", alias); err != nil {
			return wrong("%w", err)
		}
	}
	for _, link := range i.Links {
		if err := ValidateName("link", link.Alias); err != nil {
			return wrong("%w", err)
		}
	}
	return i.Port.verify("host " + h.Name + " on " + i.Network)
}

// owner names who has the address of an interface, or its MAC address, on a network; empty if nobody.
func (p *Plan) owner(n *Network, i *Interface) string {
	if n.Gateway.IsValid() && n.Gateway.Addr() == i.Address.Addr() && !n.NoAddress || n.GatewayMAC == i.MAC && i.MAC != (frame.MAC{}) {
		return "the gateway"
	}
	for _, h := range p.Hosts {
		for _, other := range h.Interfaces {
			if other.Network == n.Name && (other.Address.Addr() == i.Address.Addr() || other.MAC == i.MAC) {
				return h.Name
			}
		}
	}
	return ""
}

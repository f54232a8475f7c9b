package plan

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"uswitch/switch/frame"
	"uswitch/switch/ipam"
)

// VerifyHost accepts a host that can be added to the plan.
func (p *Plan) VerifyHost(h *Host) error {
	if err := verifyName("host name", h.Name); err != nil {
		return err
	}
	if p.Host(h.Name) != nil {
		return fmt.Errorf("host %s exists already", h.Name)
	}
	if err := ValidateName("hostname", h.Hostname); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	if err := p.verifyPlace(h); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	for _, text := range slices.Concat(h.Command, h.Environment, []string{h.WorkingDir}) {
		if strings.ContainsRune(text, 0) {
			return fmt.Errorf("host %s: a zero byte in its command, its environment or its working directory", h.Name)
		}
	}
	if len(h.Command) > 0 && h.Command[0] == "" {
		return fmt.Errorf("host %s: command: want a program's name first", h.Name)
	}
	if err := h.Rights.Verify(); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
	}
	bare := *h
	bare.Interfaces = nil
	for i := range h.Interfaces {
		if err := p.VerifyInterface(&bare, &h.Interfaces[i]); err != nil {
			return err
		}
		bare.Interfaces = append(bare.Interfaces, h.Interfaces[i])
	}
	return errors.Join(p.verifyRoute(h), p.verifyPorts(h))
}

// verifyPlace accepts the namespace of a host, if no other host is in it that does not know.
func (p *Plan) verifyPlace(h *Host) error {
	if h.Mode != ModeOwn && len(h.Interfaces)+len(h.Ports) > 0 {
		return fmt.Errorf("network mode %s: want no interfaces and no ports", h.Mode)
	}
	switch {
	case h.Mode == ModeHost:
		return nil
	case h.Mode == ModeShared:
		if home := p.Host(h.Shares); home == nil || home.Mode == ModeShared {
			return fmt.Errorf("shares the namespace of %q: want a host before it, with a namespace of its own", clip(h.Shares, MaxName))
		}
		return nil
	case h.Mode != ModeOwn && h.Mode != ModeNone:
		return fmt.Errorf("network mode %q: want none, host, shared, or nothing", clip(string(h.Mode), 20))
	case strings.HasPrefix(h.Netns, "/"):
		if filepath.Clean(h.Netns) != h.Netns || len(h.Netns) > 4095 || strings.ContainsFunc(h.Netns, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("netns %q: want a name, or a clean absolute path, as in /proc/1234/ns/net", clip(h.Netns, 60))
		}
	case h.Netns != "":
		if err := ValidateName("namespace", h.Netns); err != nil {
			return err
		}
	}
	for i := range p.Hosts {
		other := &p.Hosts[i]
		if other.Mode != ModeShared && other.Mode != ModeHost && cmp.Or(other.Netns, other.Name) == cmp.Or(h.Netns, h.Name) {
			return fmt.Errorf("netns: %s is the namespace of %s already", cmp.Or(h.Netns, h.Name), other.Name)
		}
	}
	return nil
}

// verifyRoute accepts a default route through an interface of the host.
func (p *Plan) verifyRoute(h *Host) error {
	if !h.Gateway.IsValid() && h.GatewayDev == "" {
		return nil
	}
	for _, i := range h.Interfaces {
		if i.Name == h.GatewayDev && i.Address.Masked().Contains(h.Gateway) {
			return nil
		}
	}
	return fmt.Errorf("host %s: default route via %v on %q: want a neighbour on one of its interfaces", h.Name, h.Gateway, clip(h.GatewayDev, 20))
}

// verifyPorts accepts ports that lead to the host and collide with no port of the plan's.
func (p *Plan) verifyPorts(h *Host) error {
	if len(h.Ports) > maxPublished {
		return fmt.Errorf("host %s: more than %d published ports", h.Name, maxPublished)
	}
	for _, port := range h.Ports {
		switch {
		case port.Proto != "tcp" && port.Proto != "udp":
			return fmt.Errorf("host %s: ports: protocol %q: want tcp or udp", h.Name, clip(port.Proto, 20))
		case !port.HostIP.IsValid() || port.HostIP.Is4() && port.To.Addr().Is6():
			return fmt.Errorf("host %s: ports: host_ip %v: want an address, of IPv4 only for ports of a host's IPv4", h.Name, port.HostIP)
		case port.To.Port() == 0 || !slices.ContainsFunc(h.Interfaces, func(i Interface) bool { return i.Has(port.To.Addr()) }):
			return fmt.Errorf("host %s: ports: %v: want an address of the host, and a port", h.Name, port.To)
		}
		for _, other := range p.Hosts {
			for _, taken := range other.Ports {
				if port.collides(taken) {
					return fmt.Errorf("host %s: Bind for %v failed: port is already allocated: %s publishes it", h.Name,
						netip.AddrPortFrom(port.HostIP, port.HostPort), other.Name)
				}
			}
		}
	}
	return nil
}

// collides reports whether two ports would bind the same.
func (p Publish) collides(q Publish) bool {
	return p.HostPort != 0 && p.HostPortEnd == 0 && q.HostPortEnd == 0 && p.HostPort == q.HostPort && p.Proto == q.Proto &&
		SameSocket(p.HostIP, q.HostIP)
}

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
	if err := p.verifyAddress6(n, i); err != nil {
		return wrong("%w", err)
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

package plan

import (
	"fmt"
	"net/netip"
	"slices"

	"uswitch/switch/frame"
	"uswitch/switch/ipam"
)

// The functions of this file make, for what is added to a plan that exists, the choices that a lab file may leave open.

// FillNetwork chooses the addresses of a network to be added, as far as they are zero, and the name that Docker would show.
// No subnet is chosen that overlaps one of the plan's, or one of taken.
func (p *Plan) FillNetwork(n *Network, taken []netip.Prefix) error {
	if !n.Subnet.IsValid() {
		subnet, err := ipam.NextSubnet(slices.Concat(taken, p.subnets()))
		if err != nil {
			return fmt.Errorf("network %s: %w", n.Name, err)
		}
		n.Subnet = subnet
	}
	if !n.Gateway.IsValid() && !n.withoutGateway() && !n.NoAddress {
		pool, err := n.Pool()
		if err != nil {
			return fmt.Errorf("network %s: %w", n.Name, err)
		}
		n.Gateway = netip.PrefixFrom(pool.Gateway(), n.Subnet.Bits())
	}
	if n.IPv6 != nil {
		s := *n.IPv6
		if err := p.fillIPv6(&s); err != nil {
			return fmt.Errorf("network %s: %w", n.Name, err)
		}
		n.IPv6 = &s
	}
	if n.GatewayMAC == (frame.MAC{}) && n.Gateway.Addr().Is4() {
		n.GatewayMAC = frame.MACFromIPv4(n.Gateway.Addr())
	}
	if n.Docker == "" {
		n.Docker = p.Name + "_" + n.Name
	}
	return nil
}

// subnets lists what the plan has taken already, the uplink's network included.
func (p *Plan) subnets() (all []netip.Prefix) {
	for _, n := range p.Networks {
		all = append(all, n.Subnet)
	}
	if p.Uplink.Address.IsValid() {
		all = append(all, p.Uplink.Address.Masked())
	}
	return all
}

// Pool returns the addresses of a network, the gateway's and the reserved ones taken.
func (n *Network) Pool() (*ipam.Pool, error) {
	return n.poolOf(ipam.Config{Subnet: n.Subnet, Range: n.Range, Gateway: n.Gateway.Addr(), NoGateway: n.withoutGateway(), Aux: n.Reserved})
}

// poolOf is ipam.New for a network: where the gateway begins without its address, nobody has that, and who asks for it gets it.
func (n *Network) poolOf(c ipam.Config) (*ipam.Pool, error) {
	if n.NoAddress {
		c.Gateway, c.NoGateway, c.Spare = netip.Addr{}, true, n.Gateway.Addr()
	}
	return ipam.New(c)
}

// withoutGateway reports whether the gateway is not on the network.
func (n *Network) withoutGateway() bool { return n.GatewayMode == "isolated" }

// FillHost chooses what a host to be added leaves zero: what it is called, its interfaces (FillInterface), the
// default route (ChooseGateway), and the addresses between which a published port leads.
func (p *Plan) FillHost(h *Host) error {
	if h.Hostname == "" {
		h.Hostname = h.Name
	}
	if h.Container == "" {
		h.Container = p.Name + "-" + h.Name + "-1"
	}
	interfaces := slices.Clone(h.Interfaces)
	h.Interfaces = nil
	for i := range interfaces {
		if err := p.FillInterface(h, &interfaces[i]); err != nil {
			return err
		}
		h.Interfaces = append(h.Interfaces, interfaces[i])
	}
	if !h.Gateway.IsValid() {
		p.ChooseGateway(h)
	}
	h.Ports = slices.Clone(h.Ports)
	if to := p.Inlet(h); to != nil {
		for i, port := range h.Ports {
			if !port.To.Addr().IsValid() || !port.HostIP.IsValid() {
				h.Ports[i] = to.Open(port, port.HostIP)[0]
			}
		}
	}
	return nil
}

// FillInterface chooses what an interface to be added to h leaves zero: its name, its address, its MAC address, its MTU and
// the settings of its port.
func (p *Plan) FillInterface(h *Host, i *Interface) error {
	n := p.Network(i.Network)
	if n == nil {
		return fmt.Errorf("host %s: network %q: %s", h.Name, clip(i.Network, MaxName), p.noNetwork())
	}
	i.Network = n.Name
	for next := 0; i.Name == "" && next <= len(h.Interfaces); next++ {
		if name := fmt.Sprint("eth", next); !slices.ContainsFunc(h.Interfaces, func(o Interface) bool { return o.Name == name }) {
			i.Name = name
		}
	}
	if !i.Address.IsValid() {
		a, err := p.freeAddress(n)
		if err != nil {
			return fmt.Errorf("no address for %s on %s: %w", h.Name, n.Name, err)
		}
		i.Address = netip.PrefixFrom(a, n.Subnet.Bits())
	}
	if n.IPv6 != nil && !i.Address6.IsValid() {
		var err error
		if i.Address6, err = p.FreeAddress6(n); err != nil {
			return fmt.Errorf("no IPv6 address for %s on %s: %w", h.Name, n.Name, err)
		}
	}
	if i.MAC == (frame.MAC{}) && i.Address.Addr().Is4() {
		i.MAC = frame.MACFromIPv4(i.Address.Addr())
	}
	if i.MTU == 0 {
		i.MTU = n.MTU
	}
	if i.Port == (PortFlags{}) {
		i.Port = n.Port
	}
	return nil
}

// freeAddress returns the lowest address of a network that no host of the plan has.
func (p *Plan) freeAddress(n *Network) (netip.Addr, error) {
	pool, err := n.Pool()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, h := range p.Hosts {
		for _, i := range h.Interfaces {
			if i.Network == n.Name {
				_ = pool.Reserve(i.Address.Addr()) // one outside of the range is not handed out anyway
			}
		}
	}
	return pool.Allocate()
}

// ChooseGateway points a host's default route where Docker points it: of its networks that lead out, at the gateway of the one
// with the highest priority and, among equals, of the one whose full name comes first. A host on no such network has none.
func (p *Plan) ChooseGateway(h *Host) {
	p.chooseGateway6(h)
	h.Gateway, h.GatewayDev = netip.Addr{}, ""
	best, full := 0, ""
	for _, i := range h.Interfaces {
		n := p.Network(i.Network)
		if n == nil || n.Internal || n.NoAddress || !n.Gateway.IsValid() {
			continue
		}
		if !h.Gateway.IsValid() || i.GatewayPriority > best || i.GatewayPriority == best && n.Docker < full {
			h.Gateway, h.GatewayDev = n.Gateway.Addr(), i.Name
			best, full = i.GatewayPriority, n.Docker
		}
	}
}

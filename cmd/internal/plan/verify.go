package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"uswitch/switch/ipam"
)

// Verify finds what a plan of this package's own making never has. A plan that came from somewhere else - over a socket -
// is as good as one of its own once Verify has nothing to say, except for its rules, which package rule reads.
func (p *Plan) Verify() error {
	if err := ValidateName("lab name", p.Name); err != nil {
		return err
	}
	if len(p.Networks) > maxNames || len(p.Hosts) > maxNames {
		return fmt.Errorf("%d networks and %d hosts: want at most %d of each", len(p.Networks), len(p.Hosts), maxNames)
	}
	if _, err := ParseUplink(p.Uplink.text()); err != nil {
		return err
	}
	sofar := &Plan{Name: p.Name, Uplink: p.Uplink}
	for i := range p.Networks {
		if err := sofar.VerifyNetwork(&p.Networks[i]); err != nil {
			return err
		}
		sofar.Networks = append(sofar.Networks, p.Networks[i])
	}
	for i := range p.Hosts {
		if err := sofar.VerifyHost(&p.Hosts[i]); err != nil {
			return err
		}
		sofar.Hosts = append(sofar.Hosts, p.Hosts[i])
	}
	return errors.Join(p.verifyStations(), p.verifyDependencies())
}

// text returns the uplink's short form, which ParseUplink reads.
func (u Uplink) text() string {
	if u.Kind == UplinkNetns {
		return string(u.Kind) + ":" + u.Netns
	}
	return string(u.Kind)
}

// verifyStations accepts static stations behind hosts that are on the network.
func (p *Plan) verifyStations() error {
	for _, n := range p.Networks {
		for _, e := range n.FDB {
			h := p.Host(e.Host)
			if !e.MAC.IsStation() || h == nil || !slices.ContainsFunc(h.Interfaces, func(i Interface) bool { return i.Network == n.Name }) {
				return fmt.Errorf("network %s: fdb: %v behind %q: want a station's address and a host on the network", n.Name, e.MAC, clip(e.Host, MaxName))
			}
		}
	}
	return nil
}

// verifyDependencies accepts hosts that depend only on hosts before them.
func (p *Plan) verifyDependencies() error {
	before := map[string]bool{}
	for _, h := range p.Hosts {
		for _, d := range h.DependsOn {
			if !before[d.Host] {
				return fmt.Errorf("host %s: depends_on %q: want a host that starts before it", h.Name, clip(d.Host, MaxName))
			}
		}
		before[h.Name] = true
	}
	return nil
}

// noNetwork says which networks there are.
func (p *Plan) noNetwork() string {
	if len(p.Networks) == 0 {
		return "there is no such network; there are none"
	}
	var names []string
	for _, n := range p.Networks {
		names = append(names, n.Name)
	}
	return "there is no such network; there are " + strings.Join(names, ", ")
}

// VerifyNetwork accepts a network that can be added to the plan.
func (p *Plan) VerifyNetwork(n *Network) error {
	if err := verifyName("network name", n.Name); err != nil {
		return err
	}
	if err := ValidateInterfaceName(n.Name); err != nil {
		return fmt.Errorf("network %s: it is also the name of a bridge: %w", n.Name, err)
	}
	for _, other := range p.Networks {
		if other.Name == n.Name || other.Docker == n.Docker {
			return fmt.Errorf("network with name %s already exists: %s has it", clip(n.Docker, 100), other.Name)
		}
	}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("network %s: %w", n.Name, fmt.Errorf(format, args...))
	}
	pool, err := n.Pool()
	switch {
	case err != nil:
		return wrong("%w", err)
	case !n.NoAddress && (n.withoutGateway() != !n.Gateway.IsValid() || n.Gateway.IsValid() && n.Gateway != netip.PrefixFrom(pool.Gateway(), n.Subnet.Bits())),
		n.NoAddress && n.Gateway.IsValid() && n.Gateway.Masked() != n.Subnet:
		return wrong("gateway %v: want an address of %v with its length", n.Gateway, n.Subnet)
	case (n.Gateway.IsValid() || n.NoAddress && !n.withoutGateway()) && !n.GatewayMAC.IsStation():
		return wrong("gateway_mac %v: no station can have this address", n.GatewayMAC)
	case !slices.Contains(gatewayModes, n.GatewayMode):
		return wrong("gateway mode %q: want %s", clip(n.GatewayMode, 20), strings.Join(gatewayModes, ", "))
	case n.withoutGateway() && !n.Internal:
		return wrong("gateway mode 'isolated' can only be used for an internal network")
	case !n.HostIP.Is4():
		return wrong("host_ip %v: want an IPv4 address", n.HostIP)
	case n.MTU < minMTU || n.MTU > maxMTU:
		return wrong("mtu %d: want a whole number from %d to %d", n.MTU, minMTU, maxMTU)
	case n.AgeingTime < minAgeingTime || n.AgeingTime > maxAgeingTime:
		return wrong("ageing_time %d: want a whole number from %d to %d", n.AgeingTime, minAgeingTime, maxAgeingTime)
	case n.FDBMaxLearned < 0 || n.FDBMaxLearned > maxFDB:
		return wrong("fdb_max_learned %d: want a whole number up to %d", n.FDBMaxLearned, maxFDB)
	case n.GroupFwdMask < 0 || n.GroupFwdMask > maxGroups || n.GroupFwdMask&ownGroups != 0:
		return wrong("group_fwd_mask %#x: want a mask up to %#x without bits 0 to 2", n.GroupFwdMask, maxGroups)
	}
	for _, other := range p.Networks {
		if n.Subnet.Overlaps(other.Subnet) && !n.joins(&other) {
			return wrong("%v: %w: network %s has %v", n.Subnet, ipam.ErrOverlap, other.Name, other.Subnet)
		}
	}
	if up := p.Uplink.Address; up.IsValid() && n.Subnet.Overlaps(up.Masked()) {
		return wrong("%v: %w: the uplink has %v", n.Subnet, ipam.ErrOverlap, up.Masked())
	}
	if err := p.verifyIPv6(n); err != nil {
		return wrong("%w", err)
	}
	if err := n.Tunnel.verify(); err != nil {
		return wrong("%w", err)
	}
	return n.Port.verify(n.Name)
}

func (k PortFlags) verify(where string) error {
	if k.StormLimit < 0 || k.StormLimit > maxStormLimit {
		return fmt.Errorf("%s: storm_limit %d: want a whole number up to %d", where, k.StormLimit, maxStormLimit)
	}
	return nil
}

// verifyName accepts a name for something new.
func verifyName(what, name string) error {
	if err := ValidateName(what, name); err != nil {
		return err
	}
	if slices.Contains(reserved, name) {
		return fmt.Errorf("%s %q: the name is taken; %s mean something else to uswitch", what, name, strings.Join(reserved, ", "))
	}
	return nil
}

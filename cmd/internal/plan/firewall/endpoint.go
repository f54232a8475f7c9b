package firewall

import (
	"fmt"
	"net/netip"
	"slices"

	"uswitch/nat/rule"
)

// AddEndpoint returns the commands for a container's address on a network.
func (f *Firewall) AddEndpoint(now *rule.Ruleset, bridge string, endpoint netip.Addr) ([]string, error) {
	n, err := f.named(bridge)
	switch {
	case err != nil:
		return nil, err
	case !ofFamily(endpoint, f.family) || !n.Subnet.Contains(endpoint):
		return nil, fmt.Errorf("endpoint %s: not an address of network %s, %s", endpoint, bridge, n.Subnet.Masked())
	case slices.Contains(n.endpoints, endpoint):
		return nil, fmt.Errorf("endpoint %s is on network %s already", endpoint, bridge)
	}
	lines, err := f.place(now, f.directAccess(&n.Network, endpoint))
	if err != nil {
		return nil, err
	}
	n.endpoints = append(n.endpoints, endpoint)
	return lines, nil
}

// RemoveEndpoint returns the commands that undo an endpoint, with whatever ports are still published to it.
func (f *Firewall) RemoveEndpoint(now *rule.Ruleset, bridge string, endpoint netip.Addr) ([]string, error) {
	n, err := f.named(bridge)
	if err != nil {
		return nil, err
	}
	i := slices.Index(n.endpoints, endpoint)
	if i < 0 {
		return nil, fmt.Errorf("endpoint %s is not on network %s", endpoint, bridge)
	}
	rules := f.directAccess(&n.Network, endpoint)
	published := func(p Port) bool { return p.To.Addr() == endpoint }
	for _, p := range n.ports {
		if published(p) {
			rules = append(rules, f.publication(&n.Network, p)...)
		}
	}
	lines, err := f.remove(now, rules)
	if err != nil {
		return nil, err
	}
	n.endpoints = slices.Delete(n.endpoints, i, i+1)
	n.ports = slices.DeleteFunc(n.ports, published)
	return lines, nil
}

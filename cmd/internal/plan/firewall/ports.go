package firewall

import (
	"fmt"
	"slices"

	"uswitch/nat/rule"
)

// AddPorts returns the commands that publish ports of endpoints that the network has. All ports of a container should be
// given at once: their rules are then in the order in which dockerd has them, by container port.
func (f *Firewall) AddPorts(now *rule.Ruleset, bridge string, ports ...Port) ([]string, error) {
	n, err := f.named(bridge)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(n.ports)
	open := setOf(all)
	var rules []entry
	for _, p := range slices.SortedFunc(slices.Values(ports), Port.Compare) {
		if err := p.check(f.family); err != nil {
			return nil, err
		}
		if !slices.Contains(n.endpoints, p.To.Addr()) {
			return nil, fmt.Errorf("port %s: endpoint %s is not on network %s", p, p.To.Addr(), bridge)
		}
		if open[p] {
			return nil, fmt.Errorf("port %s is published already", p)
		}
		open[p] = true
		all = append(all, p)
		rules = append(rules, f.publication(&n.Network, p)...)
	}
	lines, err := f.place(now, rules)
	if err != nil {
		return nil, err
	}
	n.ports = all
	return lines, nil
}

// RemovePorts returns the commands that undo published ports.
func (f *Firewall) RemovePorts(now *rule.Ruleset, bridge string, ports ...Port) ([]string, error) {
	n, err := f.named(bridge)
	if err != nil {
		return nil, err
	}
	open := setOf(n.ports)
	var rules []entry
	for _, p := range ports {
		if !open[p] {
			return nil, fmt.Errorf("port %s is not published on network %s", p, bridge)
		}
		delete(open, p)
		rules = append(rules, f.publication(&n.Network, p)...)
	}
	lines, err := f.remove(now, rules)
	if err != nil {
		return nil, err
	}
	n.ports = slices.DeleteFunc(slices.Clone(n.ports), func(p Port) bool { return !open[p] })
	return lines, nil
}

func setOf(ports []Port) map[Port]bool {
	all := map[Port]bool{}
	for _, p := range ports {
		all[p] = true
	}
	return all
}

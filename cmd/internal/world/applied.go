package world

import (
	"net/netip"
	"slices"

	"uswitch/cmd/internal/plan"
)

// withOwn returns a plan together with what people have added by hand since the last one, filed, was applied: what is there
// now, and neither that plan nor the new one has.
func withOwn(now, filed, p *plan.Plan) *plan.Plan {
	all := *p
	for _, n := range now.Networks {
		if !hasNetwork(filed, n.Name) && !hasNetwork(p, n.Name) {
			all.Networks = with(all.Networks, n)
		}
	}
	all.Hosts = slices.Clone(p.Hosts)
	for _, h := range now.Hosts {
		before, after := filed.Host(h.Name), all.Host(h.Name)
		switch {
		case before == nil && after == nil:
			all.Hosts = append(all.Hosts, h)
		case before != nil && after != nil && after.Mode == plan.ModeOwn:
			keepOwnCards(&h, before, after)
		}
	}
	return &all
}

// keepOwnCards gives a host the cards that somebody has put into it by hand, and its default route if it leads through one, with
// the ports that are published.
func keepOwnCards(now, before, after *plan.Host) {
	for _, i := range now.Interfaces {
		if on(before, i.Network) || on(after, i.Network) || slices.ContainsFunc(after.Interfaces, func(o plan.Interface) bool { return o.Name == i.Name }) {
			continue
		}
		after.Interfaces = with(after.Interfaces, i)
		if i.Name != now.GatewayDev {
			continue
		}
		from := outward(after)
		after.Gateway, after.GatewayDev = now.Gateway, now.GatewayDev
		after.Ports = slices.Clone(after.Ports)
		for n, p := range after.Ports {
			if p.To.Addr() == from {
				after.Ports[n].To = netip.AddrPortFrom(i.Address.Addr(), p.To.Port())
			}
		}
	}
}

func on(h *plan.Host, network string) bool {
	return slices.ContainsFunc(h.Interfaces, func(i plan.Interface) bool { return i.Network == network })
}

// hasNetwork reports whether a plan has a network of exactly that name.
func hasNetwork(p *plan.Plan, name string) bool { return networkOf(p, name) != nil }

func networkOf(p *plan.Plan, name string) *plan.Network {
	for i := range p.Networks {
		if p.Networks[i].Name == name {
			return &p.Networks[i]
		}
	}
	return nil
}

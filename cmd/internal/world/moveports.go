package world

import (
	"errors"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/plan"
)

// movePorts leads the published ports that led to one address of a host to the one by which the outside reaches it now, or
// closes them if there is none. Whoever is connected through them has to begin anew.
func (w *World) movePorts(h *Host, from netip.Addr) (*Host, error) {
	to := outward(h.Plan)
	if to == from {
		to = netip.Addr{} // it goes, and no other takes over
	}
	var failed []error
	for _, p := range w.Published() {
		if p.Host == h.Plan.Name && p.To.Addr() == from {
			if !to.IsValid() {
				failed = append(failed, w.unpublish(p))
			} else {
				failed = append(failed, w.redirect(h, p, to))
			}
		}
	}
	labPlan := *h.Plan
	labPlan.Ports = slices.Clone(labPlan.Ports)
	for i, p := range labPlan.Ports {
		if p.To.Addr() == from {
			labPlan.Ports[i].To = netip.AddrPortFrom(to, p.To.Port())
		}
	}
	labPlan.Ports = slices.DeleteFunc(labPlan.Ports, func(p plan.Publish) bool { return !p.To.Addr().IsValid() })
	now := *h
	now.Plan = &labPlan
	w.replaceHost(h, &now)
	return &now, errors.Join(failed...)
}

// outward returns the address by which the outside reaches a host.
func outward(p *plan.Host) netip.Addr {
	for _, i := range p.Interfaces {
		if i.Name == p.GatewayDev {
			return i.Address.Addr()
		}
	}
	return netip.Addr{}
}

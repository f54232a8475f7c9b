package world

import (
	"errors"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/lab"
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
	plan := *h.Plan
	plan.Ports = slices.Clone(plan.Ports)
	for i, p := range plan.Ports {
		if p.To.Addr() == from {
			plan.Ports[i].To = netip.AddrPortFrom(to, p.To.Port())
		}
	}
	plan.Ports = slices.DeleteFunc(plan.Ports, func(p lab.Publish) bool { return !p.To.Addr().IsValid() })
	now := *h
	now.Plan = &plan
	w.replaceHost(h, &now)
	return &now, errors.Join(failed...)
}

// outward returns the address by which the outside reaches a host.
func outward(plan *lab.Host) netip.Addr {
	for _, i := range plan.Interfaces {
		if i.Name == plan.GatewayDev {
			return i.Address.Addr()
		}
	}
	return netip.Addr{}
}

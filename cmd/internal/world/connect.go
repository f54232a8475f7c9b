package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/lab"
)

// Connect puts a host onto a further network. What plan leaves zero is chosen (lab.Plan.FillInterface): it needs no more
// than the network's name. A host without a default route gets one if the network leads out.
func (w *World) Connect(ctx context.Context, host string, plan lab.Interface) error {
	end, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	h, err := w.findHost(host)
	if err != nil {
		return err
	}
	if err := w.Plan().FillInterface(h.Plan, &plan); err != nil {
		return err
	}
	if err := w.Plan().VerifyInterface(h.Plan, &plan); err != nil {
		return err
	}
	h, err = w.plug(h, &plan)
	if err != nil || h.Plan.Gateway.IsValid() {
		return err
	}
	chosen := *h.Plan
	w.Plan().ChooseGateway(&chosen)
	if _, err := w.setRoute(h, chosen.Gateway, chosen.GatewayDev); err != nil {
		_, undone := w.unplug(h, h.card(plan.Network))
		return errors.Join(err, undone)
	}
	return nil
}

// Disconnect takes a host off a network. If its default route leads there, another of its networks takes it over, the first
// one by name, and with it the ports that are published; a host that is on no other network with a way out has neither.
func (w *World) Disconnect(host, network string) error {
	end, err := w.begin(context.Background())
	if err != nil {
		return err
	}
	defer end()
	h, err := w.findHost(host)
	if err != nil {
		return err
	}
	n, err := w.findNetwork(network)
	if err != nil {
		return err
	}
	card := h.card(n.Plan.Name)
	if card == nil {
		return fmt.Errorf("host %s is not on network %s", host, network)
	}
	if h, err = w.handOver(h, card); err != nil {
		return err
	}
	_, err = w.unplug(h, card)
	return err
}

// handOver gives another card of the host what the outside has to do with this one.
func (w *World) handOver(h *Host, card *Card) (*Host, error) {
	other := *h.withoutCard(card).Plan
	w.Plan().ChooseGateway(&other)
	if other.Gateway.IsValid() && h.Plan.GatewayDev == card.Plan.Name {
		var err error
		if h, err = w.setRoute(h, other.Gateway, other.GatewayDev); err != nil {
			return nil, err
		}
	}
	return w.movePorts(h, card.Plan.Address.Addr())
}

// plug makes a card and gives it to a host that is up. It needs a change that has begun.
func (w *World) plug(h *Host, plan *lab.Interface) (*Host, error) {
	card, err := w.plugIn(h, plan)
	if err != nil {
		return nil, hostError(h, err)
	}
	if err := w.join(h, card); err != nil {
		return nil, card.scope.abandon(hostError(h, err))
	}
	now := h.withCard(card)
	w.replaceHost(h, now)
	return now, nil
}

// unplug takes a card from a host that is up, and the default route with it if that leads through it. It needs a change that
// has begun.
func (w *World) unplug(h *Host, card *Card) (*Host, error) {
	w.leave(card)
	now := h.withoutCard(card)
	if now.Plan.GatewayDev == card.Plan.Name {
		now.Plan = routed(now.Plan, netip.Addr{}, "")
	}
	err := card.scope.unmake()
	w.replaceHost(h, now)
	w.forgetHost(w.Network(card.Plan.Network), card.Plan.Address.Addr())
	return now, hostError(h, err)
}

// setRoute points a host's default route at a gateway, through one of its cards, or takes it away. It needs a change that has
// begun.
func (w *World) setRoute(h *Host, gateway netip.Addr, dev string) (*Host, error) {
	through := dev
	if !gateway.IsValid() {
		through = h.Plan.GatewayDev
	}
	for _, c := range h.Cards {
		if c.Plan.Name == through {
			if err := c.device.SetGateway(gateway); err != nil {
				return nil, hostError(h, err)
			}
		}
	}
	now := *h
	now.Plan = routed(h.Plan, gateway, dev)
	w.replaceHost(h, &now)
	return &now, nil
}

// routed returns a host's plan with another default route.
func routed(plan *lab.Host, gateway netip.Addr, dev string) *lab.Host {
	now := *plan
	now.Gateway, now.GatewayDev = gateway, dev
	return &now
}

func (w *World) replaceHost(old, now *Host) {
	w.change(func(p *picture) { p.hosts = replaced(p.hosts, old, now) })
	w.renewFiles(now)
}

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

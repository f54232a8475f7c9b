package world

import (
	"net/netip"

	"uswitch/cmd/internal/plan"
)

// plug makes a card and gives it to a host that is up. It needs a change that has begun.
func (w *World) plug(h *Host, p *plan.Interface) (*Host, error) {
	card, err := w.makeCard(h, p)
	if err != nil {
		return nil, hostError(h, err)
	}
	if err = w.attach(h, card); err == nil {
		err = w.join(h, card)
	}
	if err != nil {
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
	w.forgetHost(w.Network(card.Plan.Network), card.Plan)
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
func routed(p *plan.Host, gateway netip.Addr, dev string) *plan.Host {
	now := *p
	now.Gateway, now.GatewayDev = gateway, dev
	return &now
}

func (w *World) replaceHost(old, now *Host) {
	w.change(func(p *picture) { p.hosts = replaced(p.hosts, old, now) })
	w.renewFiles(now)
}

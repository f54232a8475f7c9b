package world

import (
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/tap"
)

// Host is one host of the lab as it is at one moment: its namespace, the cards in it, and its command. A change makes a new
// Host.
type Host struct {
	Plan      *plan.Host
	Namespace tap.Namespace
	Cards     []*Card
	adopted   bool     // nobody named the namespace, which was there already
	service   *service // what its command does, this time
	scope     *scope   // how to unmake it
}

// card returns the host's card on a network, or nil.
func (h *Host) card(network string) *Card {
	for _, c := range h.Cards {
		if c.Plan.Network == network {
			return c
		}
	}
	return nil
}

// replan gives a host another plan, in which only words are others.
func (w *World) replan(p *plan.Host) {
	h := w.Host(p.Name)
	now := *h
	now.Plan = p
	w.replaceHost(h, &now)
}

// withCard returns the host with one card more, or with a card replaced.
func (h *Host) withCard(c *Card) *Host {
	now := *h
	if old := h.card(c.Plan.Network); old != nil {
		now.Cards = replaced(h.Cards, old, c)
	} else {
		now.Cards = with(h.Cards, c)
	}
	return now.planned()
}

// withoutCard returns the host without a card.
func (h *Host) withoutCard(c *Card) *Host {
	now := *h
	now.Cards = without(h.Cards, c)
	return now.planned()
}

// planned makes the host's plan one that has the host's cards for its interfaces.
func (h *Host) planned() *Host {
	p := *h.Plan
	p.Interfaces = slices.Clip([]plan.Interface{})
	for _, c := range h.Cards {
		p.Interfaces = append(p.Interfaces, *c.Plan)
	}
	h.Plan = &p
	return h
}

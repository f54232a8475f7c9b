package world

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/plan"
)

// takeAway is hosts, cards and networks that go, in reverse.
func (c *changeover) takeAway() {
	for i := range slices.Backward(c.old.Hosts) {
		if h := &c.old.Hosts[i]; c.hosts[h.Name] {
			c.add(c.hostGoes(h))
		}
	}
	for i := range c.old.Hosts {
		h := &c.old.Hosts[i]
		for j := range slices.Backward(h.Interfaces) {
			if card := &h.Interfaces[j]; c.cards[place{h.Name, card.Network}] {
				c.add(c.cardGoes(h.Name, card))
			}
		}
	}
	for i := range slices.Backward(c.old.Networks) {
		n := &c.old.Networks[i]
		if c.networks[n.Name] {
			c.add(move{line: fmt.Sprintf("- network %s %v", n.Name, n.Subnet),
				do:   func(context.Context) error { return c.removeNetwork(c.Network(n.Name)) },
				undo: func() error { return c.addNetwork(n) }})
		}
	}
}

// bring is networks, hosts and cards that come.
func (c *changeover) bring() {
	for i := range c.now.Networks {
		n := &c.now.Networks[i]
		if goes, was := c.networks[n.Name]; goes || !was {
			c.add(move{line: fmt.Sprintf("+ network %s %v", n.Name, n.Subnet),
				do:   func(context.Context) error { return c.addNetwork(n) },
				undo: func() error { return c.removeNetwork(c.Network(n.Name)) }})
		}
	}
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		if !c.stays(h.Name) {
			c.add(move{line: "+ " + hostLine(h),
				do:   func(ctx context.Context) error { return c.addHost(ctx, h) },
				undo: func() error { return c.removeHost(c.Host(h.Name)) }})
			continue
		}
		for j := range h.Interfaces {
			card := &h.Interfaces[j]
			if goes, was := c.cards[place{h.Name, card.Network}]; goes || !was {
				c.add(c.cardComes(h.Name, card))
			}
		}
	}
}

// hostLine says of a host what it is called and where it is reached.
func hostLine(h *plan.Host) string {
	line := "host " + h.Name
	for _, i := range h.Interfaces {
		line += " " + i.Address.Addr().String()
	}
	return line
}

func (c *changeover) hostGoes(h *plan.Host) move {
	var published []*Published
	return move{line: "- " + hostLine(h), anew: h.Name,
		do: func(context.Context) error {
			published = c.publishedOf(h.Name)
			return c.removeHost(c.Host(h.Name))
		},
		undo: func() error {
			bare := *h
			bare.Ports = nil
			err := c.addHost(context.Background(), &bare)
			if err != nil {
				return err
			}
			c.replan(h)
			return c.publishAgain(published)
		}}
}

func (c *changeover) cardGoes(host string, card *plan.Interface) move {
	var gateway netip.Addr
	var dev string
	return move{line: "- card " + cardLine(host, card),
		do: func(context.Context) error {
			h := c.Host(host)
			gateway, dev = h.Plan.Gateway, h.Plan.GatewayDev
			_, err := c.unplug(h, h.card(card.Network))
			return err
		},
		undo: func() error {
			h, err := c.plug(c.Host(host), card)
			if err == nil && dev == card.Name {
				_, err = c.setRoute(h, gateway, dev)
			}
			return err
		}}
}

func (c *changeover) cardComes(host string, card *plan.Interface) move {
	return move{line: "+ card " + cardLine(host, card),
		do: func(context.Context) error {
			_, err := c.plug(c.Host(host), card)
			return err
		},
		undo: func() error {
			_, err := c.unplug(c.Host(host), c.Host(host).card(card.Network))
			return err
		}}
}

func cardLine(host string, card *plan.Interface) string {
	return fmt.Sprintf("%s %s %s %v %v", host, card.Name, card.Network, card.Address.Addr(), card.MAC)
}

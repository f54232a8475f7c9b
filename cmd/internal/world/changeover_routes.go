package world

import (
	"context"
	"fmt"
	"slices"

	"uswitch/cmd/internal/plan"
)

// routes is default routes of hosts that stay.
func (c *changeover) routes() {
	for i := range c.now.Hosts {
		h := &c.now.Hosts[i]
		if !c.stays(h.Name) {
			continue
		}
		old := c.old.Host(h.Name)
		lost := slices.ContainsFunc(old.Interfaces, func(i plan.Interface) bool {
			return i.Name == old.GatewayDev && c.cards[place{h.Name, i.Network}]
		})
		if !lost && old.Gateway == h.Gateway && old.GatewayDev == h.GatewayDev {
			continue
		}
		line := fmt.Sprintf("~ %s default route via %v dev %s", h.Name, h.Gateway, h.GatewayDev)
		if !h.Gateway.IsValid() {
			line = fmt.Sprintf("~ %s no default route", h.Name)
		}
		var before *plan.Host
		c.add(move{line: line,
			do: func(context.Context) error {
				before = c.Host(h.Name).Plan
				_, err := c.setRoute(c.Host(h.Name), h.Gateway, h.GatewayDev)
				return err
			},
			undo: func() error {
				_, err := c.setRoute(c.Host(h.Name), before.Gateway, before.GatewayDev)
				return err
			}})
	}
}

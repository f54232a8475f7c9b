package world

import (
	"context"
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat"
)

// addLegs puts the gateway onto every network of the plan.
func (w *World) addLegs(context.Context) error {
	for _, n := range w.Networks() {
		now := *n
		now.scope = w.scope.open()
		if err := w.addLeg(&now); err != nil {
			return err
		}
		w.change(func(p *picture) { p.networks = replaced(p.networks, n, &now) })
	}
	return nil
}

// addLeg puts the gateway onto a network that no picture shows yet, unless it is to stay off it.
func (w *World) addLeg(n *Network) error {
	if !n.Plan.Gateway.IsValid() && !n.Plan.NoAddress || n.Plan.GatewayMode == string(firewall.Isolated) {
		return nil
	}
	if w.way != nil && w.way.standIn.IsValid() && n.Plan.Subnet.Contains(w.way.standIn) {
		return fmt.Errorf("network %s is %v, in which %v stands for this machine: give it another subnet", n.Plan.Name, n.Plan.Subnet, w.way.standIn)
	}
	config := nat.InterfaceConfig{Name: n.Plan.Name, Addr: n.Plan.Gateway, MAC: n.Plan.GatewayMAC, MTU: n.Plan.MTU, Segment: n.Switch}
	if n.Plan.NoAddress {
		config.Addr = netip.Prefix{}
	}
	leg, err := w.gateway.Add(config, w.Now())
	if err != nil {
		return err
	}
	n.scope.add(func() error {
		w.gateway.Remove(leg)
		return nil
	})
	n.Leg = leg
	n.Switch.SetLocal(leg.MAC(), leg)
	return nil
}

package world

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan"
)

// AddNetwork adds a network: its switch, the gateway's leg on it, and the rules that every generated ruleset has for a
// network. What plan leaves zero of its addresses is chosen (lab.Plan.FillNetwork; start from lab.NewNetwork).
func (w *World) AddNetwork(ctx context.Context, p plan.Network) error {
	end, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	taken := w.taken()
	if w.way != nil {
		taken = with(taken, w.way.leg.Addr().Masked())
	}
	if err := w.Plan().FillNetwork(&p, taken); err != nil {
		return err
	}
	if err := w.Plan().VerifyNetwork(&p); err != nil {
		return err
	}
	return w.addNetwork(&p)
}

// addNetwork is AddNetwork for a plan that is complete and right. It needs a change that has begun.
func (w *World) addNetwork(labPlan *plan.Network) error {
	n := w.newNetwork(labPlan)
	n.scope = w.scope.open()
	if err := w.addLeg(n); err != nil {
		return n.scope.abandon(err)
	}
	if err := w.openNetwork(n); err != nil {
		return n.scope.abandon(fmt.Errorf("network %s: %w", labPlan.Name, err))
	}
	w.change(func(p *picture) { p.networks = with(p.networks, n) })
	return nil
}

// RemoveNetwork removes a network that no host is on, with its rules and the connections that are known of it.
func (w *World) RemoveNetwork(name string) error {
	end, err := w.begin(context.Background())
	if err != nil {
		return err
	}
	defer end()
	n, err := w.findNetwork(name)
	if err != nil {
		return err
	}
	if on := w.hostsOn(n.Plan.Name); len(on) > 0 {
		// The first half is Docker's own sentence.
		return fmt.Errorf("network %s has active endpoints: %s: disconnect them first", name, strings.Join(on, ", "))
	}
	return w.removeNetwork(n)
}

// removeNetwork is RemoveNetwork for one that nobody is on. It needs a change that has begun.
func (w *World) removeNetwork(n *Network) error {
	w.closeNetwork(n)
	w.change(func(p *picture) { p.networks = without(p.networks, n) })
	err := n.scope.unmake()
	w.forgetConns(n.Plan.Subnet)
	return err
}

// hostsOn names the hosts that are on a network.
func (w *World) hostsOn(network string) (names []string) {
	for _, h := range w.Hosts() {
		if slices.ContainsFunc(h.Cards, func(c *Card) bool { return c.Plan.Network == network }) {
			names = append(names, h.Plan.Name)
		}
	}
	return names
}

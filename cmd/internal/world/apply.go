package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan"
)

// Apply makes the lab what a new plan says while it is up, and returns a line for each change, in the order in which they were
// made. An interface whose cable is out of the switch is plugged in again. Hosts of which nothing has changed keep their namespaces, interfaces and connections. What was added by hand stays,
// unless the plan has something else of its name. If a step fails, those before it are undone, the last one first, and
// the error says which it was; a plan that cannot be applied changes nothing.
//
// The plan may come from anywhere. Its name, its way out and allow_host cannot be others than they are.
func (w *World) Apply(ctx context.Context, p *plan.Plan) (lines []string, err error) {
	end, err := w.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	steps, err := w.plotted(p)
	if err != nil {
		return nil, err
	}
	return w.take(ctx, steps)
}

// take makes the moves one after the other, and goes back if one fails. It needs a change that has begun.
func (w *World) take(ctx context.Context, steps []move) (lines []string, err error) {
	for i, one := range steps {
		if err = ctx.Err(); err == nil {
			err = one.do(ctx)
		}
		if err != nil {
			return nil, w.back(steps[:i], fmt.Errorf("%s: %w", one.name, err))
		}
		if one.line != "" {
			lines = append(lines, one.line)
		}
	}
	return lines, nil
}

// Preview returns the lines that Apply would return.
func (w *World) Preview(ctx context.Context, p *plan.Plan) (lines []string, err error) {
	end, err := w.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	steps, err := w.plotted(p)
	for _, one := range steps {
		if one.line != "" {
			lines = append(lines, one.line)
		}
	}
	return lines, err
}

// back undoes steps, the last one first, and says what it came to.
func (w *World) back(done []move, why error) error {
	var anew []string
	var failed []error
	for i := len(done) - 1; i >= 0; i-- {
		if err := done[i].undo(); err != nil {
			failed = append(failed, fmt.Errorf("%s, undone: %w", done[i].name, err))
		}
		if done[i].anew != "" {
			anew = append(anew, done[i].anew)
		}
	}
	switch {
	case len(failed) > 0:
		return fmt.Errorf("%w; and it could not be undone: %w", why, errors.Join(failed...))
	case len(anew) > 0:
		return fmt.Errorf("%w; the lab is as before, but began anew: %s", why, strings.Join(anew, ", "))
	}
	return fmt.Errorf("%w; the lab is as before", why)
}

// plotted returns the steps from the lab as it is to the plan, if they can be taken.
func (w *World) plotted(p *plan.Plan) ([]move, error) {
	now := w.now.Load()
	if err := refuse(now.plan, p); err != nil {
		return nil, err
	}
	if err := p.Verify(); err != nil {
		return nil, fmt.Errorf("%s: %w", p.Source, err)
	}
	all := withOwn(now.plan, now.filed, p)
	if err := all.Verify(); err != nil {
		return nil, fmt.Errorf("%s, with what was added by hand: %w", p.Source, err)
	}
	c := &applyPlan{World: w, old: now.plan, now: all, filed: p, out: func(string, *NIC) bool { return true }}
	if err := c.check(); err != nil {
		return nil, err
	}
	c.build()
	return c.moves, nil
}

// refuse says what cannot change while a lab is up.
func refuse(old, now *plan.Plan) error {
	var changed []string
	say := func(what string, from, to any) {
		changed = append(changed, fmt.Sprintf("%s (%v -> %v)", what, from, to))
	}
	if old.Name != now.Name {
		say("name", old.Name, now.Name)
	}
	if old.Uplink != now.Uplink {
		say("uplink", wayOf(old.Uplink), wayOf(now.Uplink))
	}
	if old.AllowHost != now.AllowHost {
		say("allow_host", old.AllowHost, now.AllowHost)
	}
	if len(changed) > 0 {
		return fmt.Errorf("%s cannot change while lab %s is up: that needs uswitch down %s and uswitch up", strings.Join(changed, ", "), old.Name, old.Name)
	}
	return nil
}

func wayOf(u plan.Uplink) string {
	if u.Kind != plan.UplinkNetns {
		return string(u.Kind)
	}
	return fmt.Sprintf("netns %s %v via %v", u.Netns, u.Address, u.Gateway)
}

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
			keepOwnNICs(&h, before, after)
		}
	}
	return &all
}

// keepOwnNICs gives a host the interfaces that somebody has put into it by hand, and its default route if it leads through one, with
// the ports that are published.
func keepOwnNICs(now, before, after *plan.Host) {
	for _, i := range now.Interfaces {
		if on(before, i.Network) || on(after, i.Network) || slices.ContainsFunc(after.Interfaces, func(o plan.Interface) bool { return o.Name == i.Name }) {
			continue
		}
		after.Interfaces = with(after.Interfaces, i)
		if i.Name != now.GatewayDev {
			continue
		}
		from, from6 := outward(after, false), outward(after, true)
		after.Gateway, after.GatewayDev = now.Gateway, now.GatewayDev
		after.Ports = slices.Clone(after.Ports)
		for n, p := range after.Ports {
			if p.To.Addr() == from {
				after.Ports[n].To = netip.AddrPortFrom(i.Address.Addr(), p.To.Port())
			} else if p.To.Addr() == from6 {
				after.Ports[n].To = netip.AddrPortFrom(i.Address6.Addr(), p.To.Port())
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

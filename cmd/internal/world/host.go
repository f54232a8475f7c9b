package world

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"uswitch/cmd/internal/lab"
	"uswitch/tap"
)

// Host is one host of the lab as it is at one moment: its namespace, the cards in it, and its command. A change makes a new
// Host.
type Host struct {
	Plan      *lab.Host
	Namespace tap.Namespace
	Cards     []*Card
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

// AddHost adds a host: its namespace, its cards, its published ports. Its command is not started. What plan leaves zero is
// chosen (lab.Plan.FillHost): above all, an interface needs no more than the name of its network.
func (w *World) AddHost(ctx context.Context, plan lab.Host) error {
	end, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := w.Plan().FillHost(&plan); err != nil {
		return err
	}
	if err := w.Plan().VerifyHost(&plan); err != nil {
		return err
	}
	return w.addHost(ctx, &plan)
}

// addHost is AddHost for a plan that is complete and right. It needs a change that has begun.
func (w *World) addHost(ctx context.Context, plan *lab.Host) error {
	h, err := w.makeHost(ctx, plan)
	if err != nil {
		return err
	}
	for _, c := range h.Cards {
		if err := w.join(h, c); err != nil {
			return h.scope.abandon(hostError(h, err))
		}
	}
	w.change(func(p *picture) { p.hosts = with(p.hosts, h) })
	if err := w.publishPorts(h); err != nil {
		return errors.Join(err, w.removeHost(h))
	}
	return nil
}

// makeHost makes a host's namespace and its cards; no picture shows it yet.
func (w *World) makeHost(ctx context.Context, plan *lab.Host) (*Host, error) {
	h := &Host{Plan: plan, service: newService(len(plan.Command) > 0), scope: w.scope.open()}
	if err := w.enter(h); err != nil {
		return nil, h.scope.abandon(err)
	}
	if err := w.addFiles(h); err != nil {
		return nil, h.scope.abandon(err)
	}
	for i := range plan.Interfaces {
		card, err := w.plugIn(h, &plan.Interfaces[i])
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, h.scope.abandon(hostError(h, err))
		}
		h.Cards = append(h.Cards, card)
	}
	return h, nil
}

// addHosts makes every host of the plan.
func (w *World) addHosts(plan *lab.Plan) func(context.Context) error {
	return func(ctx context.Context) error {
		for i := range plan.Hosts {
			h, err := w.makeHost(ctx, &plan.Hosts[i])
			if err != nil {
				return err
			}
			w.change(func(p *picture) { p.hosts = with(p.hosts, h) })
		}
		return nil
	}
}

// RemoveHost ends the host's command and whatever else runs in its namespace, closes its ports, and unmakes it. A namespace
// that was there before the host is left.
func (w *World) RemoveHost(name string) error {
	if h := w.Host(name); h != nil {
		h.service.stop(Patience) // before the change begins, so that nobody else has to wait for that
	}
	end, err := w.begin(context.Background())
	if err != nil {
		return err
	}
	defer end()
	h, err := w.findHost(name)
	if err != nil {
		return err
	}
	for _, other := range w.Hosts() {
		if other.Plan.Mode == lab.ModeShared && other.Plan.Shares == name {
			return fmt.Errorf("host %s is in the namespace of %s: remove it first", other.Plan.Name, name)
		}
	}
	return w.removeHost(h)
}

// removeHost is RemoveHost for a host that is there. It needs a change that has begun.
func (w *World) removeHost(h *Host) error {
	h.service.stop(Patience)
	var failed []error
	for _, p := range w.Published() {
		if p.Host == h.Plan.Name {
			failed = append(failed, w.unpublish(p))
		}
	}
	for _, c := range h.Cards {
		w.leave(c)
	}
	w.change(func(p *picture) { p.hosts = without(p.hosts, h) })
	failed = append(failed, h.scope.unmake())
	for _, c := range h.Cards {
		w.forgetHost(w.Network(c.Plan.Network), c.Plan.Address.Addr())
	}
	w.log.remove(h.Plan.Name)
	return errors.Join(failed...)
}

// ownNetwork is the namespace that uswitch itself runs in, by a path that leads there from other processes too.
func ownNetwork() string { return fmt.Sprintf("/proc/%d/ns/net", os.Getpid()) }

// enter gives a host its namespace: that of another host or of this machine, the one that the lab file names, one of the
// host's name that is there already, or a new one. Only the new one is removed at the end.
func (w *World) enter(h *Host) (err error) {
	plan := w.Plan()
	switch {
	case h.Plan.Mode == lab.ModeShared:
		home, err := w.findHost(h.Plan.Shares)
		if err == nil {
			h.Namespace = home.Namespace
		}
		return hostError(h, err)
	case h.Plan.Mode == lab.ModeHost:
		h.Namespace, err = w.host.Adopt(ownNetwork())
		return hostError(h, err)
	case h.Plan.Netns != "":
		if h.Namespace, err = w.host.Adopt(h.Plan.Netns); err != nil {
			err = fmt.Errorf("%s: services.%s.x-uswitch.netns: %w", plan.Source, h.Plan.Name, err)
		}
		return err
	}
	h.Namespace, err = w.host.Create(plan.Name, h.Plan.Name)
	if errors.Is(err, fs.ErrExist) && !errors.Is(err, tap.ErrOwned) {
		if h.Namespace, err = w.host.Adopt(h.Plan.Name); err == nil {
			w.report(fmt.Sprintf("%s: the namespace exists already: it is used, and left behind at the end", h.Plan.Name))
		}
		return hostError(h, err)
	}
	if err != nil {
		return hostError(h, err)
	}
	namespace := h.Namespace
	h.scope.add(func() error {
		// Nobody is ended in a namespace that has only the same number: somebody may have deleted ours meanwhile.
		if now, err := w.host.Adopt(namespace.Path); err == nil && now.ID == namespace.ID {
			endInside(namespace)
		}
		return hostError(h, w.host.Release(namespace))
	})
	return nil
}

func hostError(h *Host, err error) error {
	if err != nil {
		return fmt.Errorf("host %s: %w", h.Plan.Name, err)
	}
	return nil
}

// replan gives a host another plan, in which only words are others.
func (w *World) replan(plan *lab.Host) {
	h := w.Host(plan.Name)
	now := *h
	now.Plan = plan
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
	plan := *h.Plan
	plan.Interfaces = slices.Clip([]lab.Interface{})
	for _, c := range h.Cards {
		plan.Interfaces = append(plan.Interfaces, *c.Plan)
	}
	h.Plan = &plan
	return h
}

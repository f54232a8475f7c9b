package world

import (
	"context"
	"errors"
	"fmt"

	"uswitch/cmd/internal/plan"
)

// AddHost adds a host: its namespace, its cards, its published ports. Its command is not started. What plan leaves zero is
// chosen (lab.Plan.FillHost): above all, an interface needs no more than the name of its network.
func (w *World) AddHost(ctx context.Context, p plan.Host) error {
	end, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := w.Plan().FillHost(&p); err != nil {
		return err
	}
	if err := w.Plan().VerifyHost(&p); err != nil {
		return err
	}
	return w.addHost(ctx, &p)
}

// addHost is AddHost for a plan that is complete and right. It needs a change that has begun.
func (w *World) addHost(ctx context.Context, labPlan *plan.Host) error {
	h, err := w.makeHost(ctx, labPlan)
	if err != nil {
		return err
	}
	if err := w.plugIn(h, w.Host(labPlan.Shares)); err != nil {
		return h.scope.abandon(err)
	}
	for _, c := range h.Cards {
		if err := w.join(h, c); err != nil {
			return h.scope.abandon(hostError(h, err))
		}
	}
	w.change(func(p *picture) { p.hosts = with(p.hosts, h) })
	if err := w.publishPorts(ctx, h); err != nil {
		return errors.Join(err, w.removeHost(h))
	}
	return nil
}

// makeHost makes a host's namespace and its cards; they are plugged in nowhere, and no picture shows the host yet. It may be
// called for many hosts at the same time.
func (w *World) makeHost(ctx context.Context, p *plan.Host) (*Host, error) {
	h := &Host{Plan: p, service: newService(len(p.Command) > 0), scope: w.hosts.open()}
	if err := w.enter(h); err != nil {
		return nil, h.scope.abandon(err)
	}
	if err := w.addFiles(h); err != nil {
		return nil, h.scope.abandon(err)
	}
	for i := range p.Interfaces {
		card, err := w.makeCard(h, &p.Interfaces[i])
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

// plugIn plugs in the cards of a host that was made, in the order of its interfaces. Home is the host whose namespace it
// shares, if that is there.
func (w *World) plugIn(h, home *Host) error {
	if h.Plan.Mode == plan.ModeShared {
		if home == nil {
			return hostError(h, w.noHost(h.Plan.Shares))
		}
		h.Namespace = home.Namespace
	}
	if h.adopted {
		w.report(fmt.Sprintf("%s: the namespace exists already: it is used, and left behind at the end", h.Plan.Name))
	}
	for _, c := range h.Cards {
		if err := w.attach(h, c); err != nil {
			return hostError(h, err)
		}
	}
	return nil
}

// addHosts makes every host of the plan. Many are made at the same time; they are plugged in one after the other, so that
// each port has the number that its place in the plan gives it. The picture shows all of them at once: one picture for each
// would be as many lists as there are hosts.
func (w *World) addHosts(labPlan *plan.Plan) func(context.Context) error {
	return func(ctx context.Context) error {
		var hosts []*Host
		byName := map[string]*Host{}
		err := inOrder(ctx, len(labPlan.Hosts), abreastOn(w.host),
			func(i int) (*Host, error) { return w.makeHost(ctx, &labPlan.Hosts[i]) },
			func(h *Host) error {
				hosts, byName[h.Plan.Name] = append(hosts, h), h
				return w.plugIn(h, byName[h.Plan.Shares])
			})
		w.change(func(p *picture) { p.hosts = hosts })
		return err
	}
}

// RemoveHost ends the host's command and whatever else runs in its namespace, closes its ports, and unmakes it. A namespace
// that was there before the host is left.
func (w *World) RemoveHost(name string) error {
	if h := w.Host(name); h != nil {
		h.service.stop(Patience) // before the change begins, so that nobody else has to wait for that
	}
	h, end, err := w.beginOn(context.Background(), name)
	if err != nil {
		return err
	}
	defer end()
	for _, other := range w.Hosts() {
		if other.Plan.Mode == plan.ModeShared && other.Plan.Shares == name {
			return fmt.Errorf("host %s is in the namespace of %s: remove it first", other.Plan.Name, name)
		}
	}
	return w.removeHost(h)
}

// removeHost is RemoveHost for a host that is there. It needs a change that has begun.
func (w *World) removeHost(h *Host) error {
	w.stop(h, Patience)
	var failed []error
	failed = append(failed, w.unpublish(w.publishedOf(h.Plan.Name)...))
	for _, c := range h.Cards {
		w.leave(c)
	}
	w.change(func(p *picture) { p.hosts = without(p.hosts, h) })
	failed = append(failed, h.scope.unmake())
	for _, c := range h.Cards {
		w.forgetHost(w.Network(c.Plan.Network), c.Plan)
	}
	w.log.remove(h.Plan.Name)
	return errors.Join(failed...)
}

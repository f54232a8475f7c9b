package world

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/tap"
)

// AddHost adds a host: its namespace, its interfaces, its published ports. Its command is not started. What plan leaves zero is
// chosen (plan.Plan.FillHost): above all, an interface needs no more than the name of its network.
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
		return h.cleanup.abandon(err)
	}
	for _, c := range h.NICs {
		if err := w.join(h, c); err != nil {
			return h.cleanup.abandon(hostError(h, err))
		}
	}
	w.change(func(p *snapshot) { p.hosts = with(p.hosts, h) })
	if err := w.publishPorts(ctx, h); err != nil {
		return errors.Join(err, w.removeHost(h))
	}
	return nil
}

// makeHost makes a host's namespace and its interfaces; they are plugged in nowhere, and no snapshot shows the host yet. It may be
// called for many hosts at the same time.
func (w *World) makeHost(ctx context.Context, p *plan.Host) (*Host, error) {
	h := &Host{Plan: p, service: newService(len(p.Command) > 0), cleanup: w.hosts.open()}
	if err := w.enter(h); err != nil {
		return nil, h.cleanup.abandon(err)
	}
	if err := w.addFiles(h); err != nil {
		return nil, h.cleanup.abandon(err)
	}
	for i := range p.Interfaces {
		nic, err := w.makeNIC(h, &p.Interfaces[i])
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, h.cleanup.abandon(hostError(h, err))
		}
		h.NICs = append(h.NICs, nic)
	}
	if err := w.setSysctls(h); err != nil {
		return nil, h.cleanup.abandon(hostError(h, err))
	}
	return h, nil
}

// setSysctls sets what the file says of a host's network, once its interfaces are there, as Docker does.
func (w *World) setSysctls(h *Host) error {
	switch {
	case len(h.Plan.Sysctls) == 0:
		return nil
	case w.Simulated():
		w.report(h.Plan.Name + ": sysctls: not acted on: hosts in memory have no such settings")
		return nil
	}
	return tap.Set(h.Namespace, h.Plan.Sysctls)
}

// plugIn plugs in the interfaces of a host that was made, in the order of its interfaces. Home is the host whose namespace it
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
	for _, c := range h.NICs {
		if err := w.attach(h, c); err != nil {
			return hostError(h, err)
		}
	}
	return nil
}

// addHosts makes every host of the plan. Many are made at the same time; they are plugged in one after the other, so that
// each port has the number that its place in the plan gives it. The snapshot shows all of them at once: one snapshot for each
// would be as many lists as there are hosts.
func (w *World) addHosts(labPlan *plan.Plan) func(context.Context) error {
	return func(ctx context.Context) error {
		var hosts []*Host
		byName := map[string]*Host{}
		err := inOrder(ctx, len(labPlan.Hosts), parallelism(w.host),
			func(i int) (*Host, error) { return w.makeHost(ctx, &labPlan.Hosts[i]) },
			func(h *Host) error {
				hosts, byName[h.Plan.Name] = append(hosts, h), h
				return w.plugIn(h, byName[h.Plan.Shares])
			})
		w.change(func(p *snapshot) { p.hosts = hosts })
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
	for _, c := range h.NICs {
		w.leave(c)
	}
	w.change(func(p *snapshot) { p.hosts = without(p.hosts, h) })
	failed = append(failed, h.cleanup.unmake())
	for _, c := range h.NICs {
		w.forgetHost(w.Network(c.Plan.Network), c.Plan)
	}
	w.log.remove(h.Plan.Name)
	return errors.Join(failed...)
}

// Host is one host of the lab as it is at one moment: its namespace, the interfaces in it, and its command. A change makes a new
// Host.
type Host struct {
	Plan      *plan.Host
	Namespace tap.Namespace
	NICs      []*NIC
	adopted   bool     // nobody named the namespace, which was there already
	service   *service // what its command does, this time
	cleanup   *cleanup // how to unmake it
}

// nic returns the host's interface on a network, or nil.
func (h *Host) nic(network string) *NIC {
	for _, c := range h.NICs {
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

// withNIC returns the host with one interface more, or with an interface replaced.
func (h *Host) withNIC(c *NIC) *Host {
	now := *h
	if old := h.nic(c.Plan.Network); old != nil {
		now.NICs = replaced(h.NICs, old, c)
	} else {
		now.NICs = with(h.NICs, c)
	}
	return now.planned()
}

// withoutNIC returns the host without an interface.
func (h *Host) withoutNIC(c *NIC) *Host {
	now := *h
	now.NICs = without(h.NICs, c)
	return now.planned()
}

// planned makes the host's plan one that has the host's interfaces for its interfaces.
func (h *Host) planned() *Host {
	p := *h.Plan
	p.Interfaces = slices.Clip([]plan.Interface{})
	for _, c := range h.NICs {
		p.Interfaces = append(p.Interfaces, *c.Plan)
	}
	h.Plan = &p
	return h
}

// Processes returns the processes of this machine that are in a host's network namespace.
func (w *World) Processes(host string) ([]int, error) {
	h := w.Host(host)
	if h == nil {
		return nil, fmt.Errorf("host %s: there is none", host)
	}
	return processesIn(map[uint64]bool{h.Namespace.ID.Inode: true}), nil
}

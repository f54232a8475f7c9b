package world

import (
	"context"
	"fmt"
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world/names"
	"uswitch/nat"
)

// snapshot is the world at one moment. It never changes, and neither does what its lists hold: a change makes a new one,
// with new entries for whatever is different. So a reader sees a lab that was there as a whole.
type snapshot struct {
	plan      *plan.Plan
	filed     *plan.Plan // what the lab was made from, or the last plan that was applied: plan without what came by hand
	networks  []*Network
	hosts     []*Host
	cables    []*Cable
	published []*Published
	timeouts  nat.Timeouts
}

// begin waits for the change before this one, and returns what ends this one. A world that is not up does not change.
func (w *World) begin(ctx context.Context) (end func(), err error) {
	w.changing.Lock()
	if err := ctx.Err(); err != nil {
		w.changing.Unlock()
		return nil, err
	}
	if !w.up {
		w.changing.Unlock()
		return nil, fmt.Errorf("lab %s is not up", w.Plan().Name)
	}
	w.release = w.clock.Hold()
	return func() {
		w.release()
		w.changing.Unlock()
		w.stir()
	}, nil
}

// beginOn begins a change of a host that there is.
func (w *World) beginOn(ctx context.Context, host string) (h *Host, end func(), err error) {
	if end, err = w.begin(ctx); err != nil {
		return nil, nil, err
	}
	if h, err = w.findHost(host); err != nil {
		end()
		return nil, nil, err
	}
	return h, end, nil
}

// change replaces the snapshot by what f makes of a copy of it. The plan's networks and hosts follow from those of the
// snapshot; what else is in the plan, f may change in place. f must not change the entries of a list, or the lists themselves
// other than by new ones. It needs a change that has begun.
func (w *World) change(f func(*snapshot)) {
	before := w.now.Load()
	next := *before
	copied := *next.plan
	next.plan = &copied
	f(&next)
	plan := next.plan
	if plan == &copied && sameList(before.networks, next.networks) && sameList(before.hosts, next.hosts) && sameList(before.cables, next.cables) {
		// Nobody is called otherwise, and the lists may be long: each of thousands of published ports is a change.
		w.now.Store(&next)
		w.stir()
		return
	}
	plan.Networks, plan.Hosts, plan.Cables = nil, nil, nil
	for _, c := range next.cables {
		plan.Cables = append(plan.Cables, *c.Plan)
	}
	for _, n := range next.networks {
		plan.Networks = append(plan.Networks, *n.Plan)
	}
	for _, h := range next.hosts {
		plan.Hosts = append(plan.Hosts, *h.Plan)
	}
	w.show(&next)
}

// show makes a snapshot the present one, for whoever looks, and for whoever asks for names.
func (w *World) show(p *snapshot) {
	w.now.Store(p)
	if w.names != nil {
		w.names.Set(names.Of(p.plan))
	}
	w.stir()
}

// sameList reports whether two lists are one list that nobody has changed.
func sameList[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// replaced returns a list with one entry in the place of another.
func replaced[T comparable](list []T, old, now T) []T {
	list = slices.Clone(list)
	if i := slices.Index(list, old); i >= 0 {
		list[i] = now
	}
	return list
}

// without returns a list without some of its entries.
func without[T comparable](list []T, gone ...T) []T {
	if len(gone) == 1 {
		return slices.DeleteFunc(slices.Clone(list), func(one T) bool { return one == gone[0] })
	}
	all := map[T]bool{}
	for _, one := range gone {
		all[one] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(one T) bool { return all[one] })
}

// with returns a list with some entries more.
func with[T any](list []T, added ...T) []T { return append(slices.Clip(list), added...) }

// Plan returns the plan of the lab as it is now. It is not to be changed.
func (w *World) Plan() *plan.Plan { return w.now.Load().plan }

// Filed returns the plan that the lab was made from, or the last one that was applied: its plan without what was added by hand
// since, and with what was removed. It is not to be changed.
func (w *World) Filed() *plan.Plan { return w.now.Load().filed }

// Networks returns the networks, in the order of the plan. The list is not to be changed.
func (w *World) Networks() []*Network { return w.now.Load().networks }

// Network returns the network of that name, or nil.
func (w *World) Network(name string) *Network { return w.now.Load().network(name) }

func (p *snapshot) network(name string) *Network {
	for _, n := range p.networks {
		if n.Plan.Name == name {
			return n
		}
	}
	return nil
}

// Hosts returns the hosts in the order in which they start. The list is not to be changed.
func (w *World) Hosts() []*Host { return w.now.Load().hosts }

// Host returns the host of that name, or nil.
func (w *World) Host(name string) *Host { return w.now.Load().host(name) }

func (p *snapshot) host(name string) *Host {
	for _, h := range p.hosts {
		if h.Plan.Name == name {
			return h
		}
	}
	return nil
}

// Published lists the open ports in the order in which they were opened. The list is not to be changed.
func (w *World) Published() []*Published { return w.now.Load().published }

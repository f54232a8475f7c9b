package world

import (
	"fmt"
	"slices"

	"uswitch/cmd/internal/plan"
)

// launch starts a host's command if it has one: now if nothing keeps it, so that hosts start in the order of the plan, else
// when what it depends on has got there. It needs a change that has begun.
func (w *World) launch(h *Host) {
	if state, _, _ := h.Service(); state != Waiting {
		return
	}
	keeps := w.dependencies(h)
	if !slices.ContainsFunc(keeps, func(d dependency) bool { return !d.isReady() }) {
		w.startOr(h, keeps)
		return
	}
	w.clock.Go(func() {
		for _, d := range keeps {
			w.clock.Await(d.ready(), h.service.ended) // told to end before it began
		}
		w.startOr(h, keeps)
	})
}

// dependency is a command that another one waits for.
type dependency struct {
	plan.Dependency
	on *Host
}

// ready is closed when the other command has got where it must.
func (d dependency) ready() <-chan struct{} {
	if d.Completed {
		return d.on.service.ended
	}
	return d.on.service.started
}

func (d dependency) isReady() bool {
	select {
	case <-d.ready():
		return true
	default:
		return false
	}
}

// dependencies returns what a host waits for, as far as it is there.
func (w *World) dependencies(h *Host) (all []dependency) {
	for _, d := range h.Plan.DependsOn {
		if other := w.Host(d.Host); other != nil {
			all = append(all, dependency{d, other})
		}
	}
	return all
}

// startOr starts a command, unless what it waits for has failed, and reports what keeps it from starting.
func (w *World) startOr(h *Host, keeps []dependency) {
	for _, d := range keeps {
		_, _, status := d.on.Service()
		if state, _, _ := h.Service(); !d.Completed || status == 0 || state != Waiting {
			continue
		}
		w.report(fmt.Sprintf("%s: not started: %s, which it waits for, ended with status %d", h.Plan.Name, d.Host, status))
		w.enterStatus(1)
		h.service.end(1)
		w.stir()
		return
	}
	if err := w.start(h); err != nil {
		w.report(fmt.Sprintf("%s: %v", h.Plan.Name, err))
		w.enterStatus(Status(nil, err))
		w.stir()
	}
}

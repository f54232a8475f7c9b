package world

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"uswitch/cmd/internal/lab"
)

// wordAfter is how long the end of commands is waited for without a word.
const wordAfter = time.Second

// Run starts the commands of the hosts, each when what it depends on has got there, and returns when the lab is over: its
// plan does not keep it up and every command of a host that is not passive has ended, or ctx ends. Hosts that come later
// count as those of the plan do; one without a command, and a lab that nobody but passive hosts is left in, keep it up.
// Before Run returns, every command has been ended, and the world changes no more. It returns the first status that was not
// 0 of those that ended by themselves, and whether that was all of them.
func (w *World) Run(ctx context.Context) (status int, complete bool) {
	w.changing.Lock()
	for _, h := range w.Hosts() {
		w.launch(h)
	}
	w.changing.Unlock()
	for ctx.Err() == nil && !complete {
		if complete = w.complete(); complete {
			break
		}
		select {
		case <-w.stirred:
		case <-ctx.Done():
		}
	}
	w.changing.Lock()
	w.up = false
	w.changing.Unlock()
	w.stopAll()
	return int(w.status.Load()), complete
}

// stir wakes Run.
func (w *World) stir() {
	select {
	case w.stirred <- struct{}{}:
	default: // it is about to look anyway
	}
}

// complete reports whether the lab is over. It waits for changes: while a command is restarted, it has not ended.
func (w *World) complete() bool {
	w.changing.Lock()
	defer w.changing.Unlock()
	now := w.now.Load()
	active := false
	for _, h := range now.hosts {
		if h.Plan.Passive {
			continue
		}
		if state, _, _ := h.Service(); state != Ended {
			return false
		}
		active = true
	}
	return active && !now.plan.KeepUp
}

// enterStatus remembers the status of a command that has ended by itself, if it is the first that is not 0.
func (w *World) enterStatus(status int) { w.status.CompareAndSwap(0, int32(status)) }

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
	go func() {
		for _, d := range keeps {
			select {
			case <-d.ready():
			case <-h.service.ended: // told to end before it began
			}
		}
		w.startOr(h, keeps)
	}()
}

// dependency is a command that another one waits for.
type dependency struct {
	lab.Dependency
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

// stopAll ends what still runs, all at once, and waits for it.
func (w *World) stopAll() {
	late := time.AfterFunc(wordAfter, w.tellLate)
	defer late.Stop()
	var all sync.WaitGroup
	for _, h := range w.Hosts() {
		all.Go(func() { h.service.stop(Patience) })
	}
	all.Wait()
}

// tellLate says whom the end waits for.
func (w *World) tellLate() {
	var names []string
	for _, h := range w.Hosts() {
		if state, _, _ := h.Service(); state == Running {
			names = append(names, h.Plan.Name)
		}
	}
	if len(names) > 0 {
		w.report(fmt.Sprintf("waiting for the command of %s to end; %v after it was asked to, it is made to", strings.Join(names, ", "), Patience))
	}
}

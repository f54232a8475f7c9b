package world

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// wordAfter is how long the end of commands is waited for without a word.
const wordAfter = time.Second

// Run starts the commands of the hosts, each when what it depends on has got there, and returns when the lab is over: neither
// its plan nor Options.Stays keeps it up and every command of a host that is not passive has ended, or ctx ends. Hosts that come later
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
	return active && !now.plan.KeepUp && !w.stays
}

// enterStatus remembers the status of a command that has ended by itself, if it is the first that is not 0.
func (w *World) enterStatus(status int) { w.status.CompareAndSwap(0, int32(status)) }

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

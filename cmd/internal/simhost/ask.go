package simhost

import (
	"context"
	"time"

	"uswitch/sim"
	"uswitch/tap"
)

// Ask has a namespace's own stack put a question, and returns what came of it as sim.Machine.Ask says it: nil is an answer.
// It waits as long as wait at most, by the clock of the hosts.
func (h *Host) Ask(ctx context.Context, ns tap.Namespace, q sim.Question, wait time.Duration) error {
	s, err := h.find(ns)
	if err != nil {
		return err
	}
	release := h.loop.Hold()
	defer release()
	leave := h.loop.Attend(false)
	defer leave()
	answered := make(chan error, 2) // the answer, and the end of the time for it
	tell := func(err error) {
		leave() // at the very moment: no time passes after it
		select {
		case answered <- err:
		default:
		}
	}
	err = h.loop.Do(func() {
		s.machine.Ask(q, wait, tell)
		h.loop.After(wait, func() { tell(sim.ErrTimeout) })
	})
	if err != nil {
		return err
	}
	release()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-h.loop.Ended():
		return sim.ErrOver
	}
}

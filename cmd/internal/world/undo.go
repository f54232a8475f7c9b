package world

import (
	"errors"
	"sync"
)

// undo is how to unmake what was made: a step for each thing, run in reverse. The zero value is ready.
type undo struct {
	mu    sync.Mutex
	steps []func() error
}

// add takes one step. It is called right after the thing was made.
func (u *undo) add(step func() error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.steps = append(u.steps, step)
}

// run takes every step, the last one first, whatever the others say. What is added meanwhile is run too.
func (u *undo) run() error {
	var failed []error
	for {
		step := u.pop()
		if step == nil {
			return errors.Join(failed...)
		}
		if err := step(); err != nil {
			failed = append(failed, err)
		}
	}
}

func (u *undo) pop() (step func() error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n := len(u.steps); n > 0 {
		step, u.steps = u.steps[n-1], u.steps[:n-1]
	}
	return step
}

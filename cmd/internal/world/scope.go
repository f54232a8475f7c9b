package world

import (
	"errors"
	"slices"
	"sync"
)

// scope is how to unmake what was made: a step for each thing, taken in reverse. A scope may have others inside, each of which
// is one of its steps until it is unmade by itself: so a host can go before those that were made after it, and the end of
// the world still finds whatever is left, the last thing first. The zero value is ready, and is inside of no other.
type scope struct {
	parent *scope
	place  *step // in the parent

	mu    sync.Mutex // guards steps
	steps []*step
}

type step struct{ unmake func() error }

// add takes one step. It is called right after the thing was made.
func (s *scope) add(unmake func() error) { s.append(&step{unmake}) }

// open returns a new scope inside of this one.
func (s *scope) open() *scope {
	inner := &scope{parent: s}
	inner.place = &step{inner.unmake}
	s.append(inner.place)
	return inner
}

func (s *scope) append(one *step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, one)
}

// unmake takes every step, the last one first, whatever the others say; what is added meanwhile is unmade too. A second time
// there is nothing left to do.
func (s *scope) unmake() error {
	if s.parent != nil {
		s.parent.forget(s.place)
	}
	var failed []error
	for {
		one := s.pop()
		if one == nil {
			return errors.Join(failed...)
		}
		if err := one.unmake(); err != nil {
			failed = append(failed, err)
		}
	}
}

func (s *scope) pop() (last *step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.steps); n > 0 {
		last, s.steps = s.steps[n-1], s.steps[:n-1]
	}
	return last
}

func (s *scope) forget(one *step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = slices.DeleteFunc(s.steps, func(o *step) bool { return o == one })
}

// abandon unmakes what was made for something that has failed, and returns why it did and what else went wrong.
func (s *scope) abandon(err error) error { return errors.Join(err, s.unmake()) }

package world

import (
	"errors"
	"maps"
	"slices"
	"sync"
)

// cleanup stack is how to unmake what was made: a step for each thing, taken in reverse. A cleanup stack may have others inside, each of which
// is one of its steps until it is unmade by itself: so a host can go before those that were made after it, and the end of
// the world still finds whatever is left, the last thing first. The zero value is ready, and is inside of no other.
type cleanup struct {
	parent *cleanup
	place  *step // in the parent

	parallel int // so many steps are taken at the same time; at least one is

	mu     sync.Mutex // guards what follows
	steps  []*step
	popped int
}

type step struct {
	unmake func() error
	begun  bool // it is in no list of steps any more; guarded by the lock of the cleanup stack that it is one of
}

// add takes one step. It is called right after the thing was made.
func (s *cleanup) add(unmake func() error) { s.append(&step{unmake: unmake}) }

// open returns a new cleanup stack inside of this one.
func (s *cleanup) open() *cleanup {
	inner := &cleanup{parent: s}
	inner.place = &step{unmake: inner.unmake}
	s.append(inner.place)
	return inner
}

func (s *cleanup) append(one *step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, one)
}

// openParallel returns a new cleanup stack inside of this one whose steps have nothing to do with each other: so many are taken at
// the same time.
func (s *cleanup) openParallel(parallel int) *cleanup {
	inner := s.open()
	inner.parallel = parallel
	return inner
}

// unmake takes every step, the last one first, whatever the others say; what is added meanwhile is unmade too. A second time
// there is nothing left to do. What failed is told in the order in which the steps were begun.
func (s *cleanup) unmake() error {
	if s.parent != nil {
		s.parent.forget(s.place)
	}
	var mu sync.Mutex // guards failed
	failed := map[int]error{}
	work := func() {
		for n, one := s.pop(); one != nil; n, one = s.pop() {
			if err := one.unmake(); err != nil {
				mu.Lock()
				failed[n] = err
				mu.Unlock()
			}
		}
	}
	var others sync.WaitGroup
	for range s.parallel - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
	var all []error
	for _, n := range slices.Sorted(maps.Keys(failed)) {
		all = append(all, failed[n])
	}
	return errors.Join(all...)
}

// pop takes the last step out, and returns how many were taken before, or nil if there is none.
func (s *cleanup) pop() (n int, last *step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if left := len(s.steps); left > 0 {
		last, s.steps = s.steps[left-1], s.steps[:left-1]
		last.begun = true
		s.popped++
	}
	return s.popped, last
}

func (s *cleanup) forget(one *step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.begun {
		return // many are, when the parent goes
	}
	if i := slices.Index(s.steps, one); i >= 0 {
		s.steps = slices.Delete(s.steps, i, i+1)
	}
}

// abandon unmakes what was made for something that has failed, and returns why it did and what else went wrong.
func (s *cleanup) abandon(err error) error { return errors.Join(err, s.unmake()) }

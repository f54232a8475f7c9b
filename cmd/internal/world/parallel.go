package world

import (
	"context"
	"sync"
	"sync/atomic"

	"uswitch/tap"
)

// maxParallel is how many hosts are made, or unmade, at the same time. It has nothing to do with the number of processors, for
// much of the time is spent waiting in the kernel: on the way up where it moves one interface after the other (see tap), which a dozen
// hosts keep it at, and on the way down for grace periods, for which they wait together.
const maxParallel = 12

// InTurn is a tap.Host for which the order of calls shows: its hosts are made and unmade one after the other, in the order of
// the plan and against it. Any other is asked for many at the same time.
type InTurn interface{ InTurn() }

// parallelism returns how many hosts are made at the same time.
func parallelism(host tap.Host) int {
	if _, ok := host.(InTurn); ok {
		return 1
	}
	return maxParallel
}

// inOrder makes n things, so many of them at the same time, and takes each in its turn, from the first one on; it takes them
// itself, one after the other. When one cannot be made or taken, or ctx ends, no more are begun; those that have begun are
// waited for, and not taken. Its error is that of the first, in their order, that has one, whoever was faster.
func inOrder[T any](ctx context.Context, n, parallel int, makeOne func(i int) (T, error), take func(T) error) error {
	if parallel == 1 {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			made, err := makeOne(i)
			if err == nil {
				err = take(made)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	type result struct {
		index int
		made  T
		err   error
	}
	results := make(chan result)
	var begun atomic.Int64
	var over atomic.Bool
	var makers sync.WaitGroup
	for range min(n, parallel) {
		makers.Go(func() {
			for !over.Load() && ctx.Err() == nil {
				i := int(begun.Add(1)) - 1
				if i >= n {
					return
				}
				made, err := makeOne(i)
				if err != nil {
					over.Store(true)
				}
				results <- result{i, made, err}
			}
		})
	}
	go func() {
		makers.Wait()
		close(results)
	}()
	var failed error
	early := map[int]result{} // those whose turn has not come
	turn := 0
	for r := range results {
		early[r.index] = r
		for next, ok := early[turn]; ok && failed == nil; next, ok = early[turn] {
			delete(early, turn)
			turn++
			if failed = next.err; failed == nil {
				failed = take(next.made)
			}
			if failed != nil {
				over.Store(true)
			}
		}
	}
	if failed == nil && turn < n {
		failed = ctx.Err()
	}
	return failed
}

package sim

import (
	"container/heap"
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// RealTime is a Scheduler of real time, for an Internet in a real lab and for the hosts of a lab in memory. After may be called from any goroutine; everything
// runs on the one that called Run.
type RealTime struct {
	mu    sync.Mutex // guards queue
	queue timers
	wake  chan struct{}
}

// NewRealTime returns a scheduler on which nothing happens before Run.
func NewRealTime() *RealTime { return &RealTime{wake: make(chan struct{}, 1)} }

// Now implements Scheduler.
func (*RealTime) Now() time.Time { return time.Now() }

// After implements Scheduler.
func (r *RealTime) After(d time.Duration, f func()) *Timer {
	r.mu.Lock()
	t := r.queue.add(time.Now().Add(d), f)
	first := r.queue.heap[0] == t // not queue.first: whether a timer was stopped is for Run's goroutine to know
	r.mu.Unlock()
	if first {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	return t
}

// Run does what is due when it is due, until ctx ends; then it returns nil. If something panics, Run returns that as an
// error, and what was scheduled besides stays undone.
func (r *RealTime) Run(ctx context.Context) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the simulation failed: %v\n%s", fault, debug.Stack())
		}
	}()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		f, wait := r.take()
		if f != nil {
			f()
			if ctx.Err() != nil {
				return nil
			}
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		case <-timer.C:
		}
	}
}

// take returns what is due, or how long that will take.
func (r *RealTime) take() (f func(), wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.queue.first()
	if t == nil {
		return nil, time.Hour
	}
	if wait = time.Until(t.at); wait > 0 {
		return nil, wait
	}
	heap.Pop(&r.queue)
	return t.f, 0
}

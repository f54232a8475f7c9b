package sim

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// task is a goroutine that runs in turns.
type task struct {
	ready  func() bool   // whether its next turn has come
	resume chan struct{} // its turn begins
	yield  chan struct{} // its turn is over
	last   bool          // it waits for all others (Settle)
}

// Go runs f as a task.
func (l *Loop) Go(f func()) {
	t := &task{resume: make(chan struct{}), yield: make(chan struct{})}
	l.add(&l.all, 1)
	go func() {
		<-t.resume
		defer func() {
			if fault := recover(); fault != nil {
				l.fault(fmt.Errorf("%v\n%s", fault, debug.Stack()))
			}
			l.add(&l.all, -1)
			t.yield <- struct{}{}
		}()
		f()
	}()
	l.park(t, func() bool { return true })
	l.kick()
}

// park has a task wait for its next turn.
func (l *Loop) park(t *task, ready func() bool) {
	t.ready = ready
	l.mu.Lock()
	l.tasks = append(l.tasks, t)
	l.mu.Unlock()
}

// Wait lets others run until ready reports true. ready is called on the Loop, often, and may ask for whatever changes on the Loop;
// who changes something else that it asks for has to call Look. It returns ErrOver if the Loop ends before.
func (l *Loop) Wait(ready func() bool) error {
	if ready() {
		return nil
	}
	t := l.current
	l.park(t, ready)
	t.yield <- struct{}{}
	<-t.resume
	if l.over && !ready() {
		return ErrOver
	}
	return nil
}

// Yield lets everything else that may run now run first.
func (l *Loop) Yield() error {
	first := true
	return l.Wait(func() bool { first = !first; return first })
}

// Settle lets everything happen that is to happen at this moment: until no event is due, and no other task can go on.
func (l *Loop) Settle() error {
	t := l.current
	t.last = true
	defer func() { t.last = false }()
	return l.Wait(func() bool { return !l.due() && !l.othersReady() })
}

// othersReady reports whether a task can go on that does not wait for all others.
func (l *Loop) othersReady() bool {
	l.mu.Lock()
	all := l.tasks // only the holder of the baton takes tasks out
	l.mu.Unlock()
	return slices.ContainsFunc(all, func(t *task) bool { return !t.last && t.ready() })
}

// Run runs f as a task, and all that it sets off at this moment, and waits for that: no time passes. It must not be called on
// the Loop. The error is ErrOver.
func (l *Loop) Run(f func()) error {
	over := make(chan struct{})
	l.Go(func() {
		defer close(over)
		f()
		_ = l.Settle()
	})
	select {
	case <-over:
		return nil
	case <-l.ended:
		return ErrOver
	}
}

// Look has everybody who waits look again.
func (l *Loop) Look() { l.kick() }

// Await lets others run until one of the channels is closed, or the Loop ends.
func (l *Loop) Await(channels ...<-chan struct{}) {
	for _, c := range channels {
		if !isClosed(c) {
			defer l.lookWhen(c)()
		}
	}
	_ = l.Wait(func() bool { return slices.ContainsFunc(channels, isClosed) })
}

// lookWhen has everybody look again when c is closed by somebody outside.
func (l *Loop) lookWhen(c <-chan struct{}) (stop func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-c:
			l.Look()
		case <-done:
		}
	}()
	return func() { close(done) }
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// WaitOr is Wait until ctx ends, too; then it returns ctx's cause.
func (l *Loop) WaitOr(ctx context.Context, ready func() bool) error {
	defer context.AfterFunc(ctx, l.Look)()
	err := l.Wait(func() bool { return ctx.Err() != nil || ready() })
	if ctx.Err() != nil && !ready() {
		return context.Cause(ctx)
	}
	return err
}

// Sleep lets others run for a while, or until ctx ends; then it returns ctx's cause.
func (l *Loop) Sleep(ctx context.Context, d time.Duration) error {
	passed := false
	timer := l.After(d, func() { passed = true })
	defer timer.Stop()
	return l.WaitOr(ctx, func() bool { return passed })
}

// WithTimeout is context.WithTimeoutCause by the Loop's time. It is called on the Loop, and so is cancel.
func (l *Loop) WithTimeout(ctx context.Context, d time.Duration, cause error) (_ context.Context, cancel func()) {
	ctx, end := context.WithCancelCause(ctx)
	timer := l.After(d, func() { end(cause) })
	return ctx, func() { timer.Stop(); end(nil) }
}

// Outward says what somebody does outside who is on the Loop.
type Outward uint8

// What is done outside.
const (
	Writing Outward = iota // virtual time stands still meanwhile
	Reading                // virtual time stands still for a moment, in which who has something to say says it
	Resting                // for a person to type: nobody waits for the lab meanwhile
)

// outsideTime is how long what is done outside holds everything up on a Loop of virtual time. What takes longer waits for a
// person, or for somebody who waits for the lab.
const outsideTime = time.Second

// Outside has a task do something that may wait for somebody who is not on the Loop.
func (l *Loop) Outside(what Outward, f func()) {
	t := l.current
	if t == nil { // an event: it cannot wait
		f()
		return
	}
	var mu sync.Mutex
	left, back := false, false // guarded by mu
	leave := func() {
		mu.Lock()
		defer mu.Unlock()
		if left || back {
			return
		}
		left = true
		switch what {
		case Writing:
			l.add(&l.stalled, 1)
		case Resting:
			l.add(&l.resting, 1)
		}
		t.yield <- struct{}{}
	}
	if l.wall || what == Resting {
		leave()
	} else {
		defer time.AfterFunc(outsideTime, leave).Stop()
	}
	f()
	mu.Lock()
	back = true
	mu.Unlock()
	if !left {
		return
	}
	l.park(t, func() bool { return true })
	switch what {
	case Writing:
		l.add(&l.stalled, -1)
	case Resting:
		l.add(&l.resting, -1)
	}
	l.kick()
	<-t.resume
}

package sim

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Loop is the one clock of a lab in memory, and runs all that happens there, one thing at a time: events (After), and tasks
// (Go), which are goroutines that take turns. A task runs until it waits (Wait, Sleep, Outside) or ends; no event and no other
// task runs meanwhile. Whatever runs on a Loop therefore needs no lock against the rest of it, and happens in one order.
//
//	            +--> a task whose condition holds, the one that has waited longest       \
//	next thing -+                                                                         > by turns, while there are both
//	            +--> the event that is due, of two the one that was asked for first      /
//
// A Loop's time is one of two.
//
// Virtual time stands at Epoch in the beginning. It stands still while something happens, and jumps to what is due next, but
// only while somebody waits for the lab (Attend). In a lab that nobody waits for everything rests, however much time passes
// outside. So the same things happen at the same moments in every run.
//
// Wall time is this machine's own, and passes by itself.
//
// After, Go, Do and the methods that return times may be called from any goroutine; Wait, Sleep and Outside by tasks alone.
type Loop struct {
	wall  bool
	wake  chan struct{}
	ended chan struct{} // closed when nothing runs any more
	stop  context.CancelFunc

	baton   sync.Mutex // held by whoever runs: the loop, for one event or one turn of a task, or somebody outside, in Do
	current *task      // guarded by baton, as what follows; nil: no task runs
	turned  bool       // the last thing was a task's turn
	hooks   []*func(now time.Time)
	sources []*source
	fault   func(error)
	over    bool // guarded by baton: whoever waits is to end

	mu      sync.Mutex // guards what follows; never held while anything runs
	queue   timers
	now     time.Time // of virtual time
	last    time.Time // when something happened last
	tasks   []*task   // that wait, in the order in which they began to
	all     int       // tasks that have not ended
	held    int
	waiting int // somebody waits for the lab so many times,
	resting int // which do not count while so many tasks wait for a person to type
	stalled int // tasks that are stuck in what nobody outside takes from them
	tied    int // reasons not to be ahead of wall time,
	tie     time.Duration
}

// ErrOver is what everything answers on a Loop that has ended.
var ErrOver = errors.New("the simulated hosts are gone")

// NewLoop returns a Loop of virtual time, which runs until Close.
func NewLoop() *Loop { return newLoop(false) }

// NewWallLoop returns a Loop of wall time, which runs until Close.
func NewWallLoop() *Loop { return newLoop(true) }

func newLoop(wall bool) *Loop {
	ctx, stop := context.WithCancel(context.Background())
	l := &Loop{wall: wall, wake: make(chan struct{}, 1), ended: make(chan struct{}), stop: stop, now: Epoch, last: Epoch, fault: func(error) {}}
	go l.run(ctx)
	return l
}

// Close ends the Loop: tasks that wait go on with an error and have ended when Close returns, events are not run any more.
func (l *Loop) Close() {
	l.stop()
	<-l.ended
}

// Ended is closed when nothing runs any more.
func (l *Loop) Ended() <-chan struct{} { return l.ended }

// Virtual reports whether the Loop's time is virtual.
func (l *Loop) Virtual() bool { return !l.wall }

// Now implements Scheduler.
func (l *Loop) Now() time.Time {
	if l.wall {
		return time.Now()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

// After implements Scheduler. An event that panics is told of (OnFault), and costs nothing else.
func (l *Loop) After(d time.Duration, f func()) *Timer {
	l.mu.Lock()
	now := l.now
	if l.wall {
		now = time.Now()
	}
	t := l.queue.add(now.Add(max(d, 0)), f)
	l.mu.Unlock()
	l.kick()
	return t
}

// kick makes the loop look again.
func (l *Loop) kick() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// OnStep has f called after each thing that has happened, and now and then while time passes without any. f runs on the Loop.
func (l *Loop) OnStep(f func(now time.Time)) (remove func()) {
	l.baton.Lock()
	defer l.baton.Unlock()
	hook := &f
	l.hooks = append(l.hooks, hook)
	return func() {
		l.baton.Lock()
		defer l.baton.Unlock()
		l.hooks = slices.DeleteFunc(slices.Clone(l.hooks), func(h *func(time.Time)) bool { return h == hook })
	}
}

// source is something that says by itself when it is due.
type source struct {
	deadline func() time.Time // zero: not at all
	do       func(now time.Time)
}

// Due has do called whenever the time comes that deadline says; its zero time is never. In wall time nobody looks after sources.
func (l *Loop) Due(deadline func() time.Time, do func(now time.Time)) (remove func()) {
	l.baton.Lock()
	defer l.baton.Unlock()
	one := &source{deadline, do}
	l.sources = append(l.sources, one)
	return func() {
		l.baton.Lock()
		defer l.baton.Unlock()
		l.sources = slices.DeleteFunc(slices.Clone(l.sources), func(s *source) bool { return s == one })
	}
}

// OnFault has f called with the panic of an event or a task, on the Loop.
func (l *Loop) OnFault(f func(error)) {
	l.baton.Lock()
	defer l.baton.Unlock()
	l.fault = f
}

// Do runs f as an event that is due at once, and waits for it. It must not be called on the Loop. The error is ErrOver.
func (l *Loop) Do(f func()) error {
	l.baton.Lock()
	defer l.baton.Unlock()
	if l.over {
		return ErrOver
	}
	f()
	l.happened()
	l.kick()
	return nil
}

// Hold keeps everything from running, until release is called, but for what Do does: for somebody who changes much of a lab and
// wants nothing to happen before all of it is done. A Loop of wall time goes on all the same.
func (l *Loop) Hold() (release func()) {
	if l.wall {
		return func() {}
	}
	l.baton.Lock() // what runs now ends
	l.add(&l.held, 1)
	l.baton.Unlock()
	return sync.OnceFunc(func() { l.add(&l.held, -1) })
}

// Attend says that somebody waits for the lab, until leave is called: virtual time may pass. A person wants it to pass no faster
// than real time does.
func (l *Loop) Attend(person bool) (leave func()) {
	l.mu.Lock()
	if l.waiting++; l.waiting == 1 {
		l.tie = l.behind() // it stood still until now
	}
	l.mu.Unlock()
	l.kick()
	untie := func() {}
	if person {
		untie = l.Tie()
	}
	return sync.OnceFunc(func() { untie(); l.add(&l.waiting, -1) })
}

// Tie keeps virtual time from being ahead of real time, until untie is called: something out there is waited for.
func (l *Loop) Tie() (untie func()) {
	l.mu.Lock()
	if l.tied++; l.tied == 1 {
		l.tie = l.behind()
	}
	l.mu.Unlock()
	return sync.OnceFunc(func() { l.add(&l.tied, -1) })
}

// behind is how far virtual time is behind real time. It needs mu.
func (l *Loop) behind() time.Duration { return time.Since(wallEpoch) - l.now.Sub(Epoch) }

// wallEpoch is a moment on this machine's monotonic clock.
var wallEpoch = time.Now()

func (l *Loop) add(counter *int, n int) {
	l.mu.Lock()
	*counter += n
	l.mu.Unlock()
	l.kick()
}

package sim

import (
	"container/heap"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// run is the loop.
func (l *Loop) run(ctx context.Context) {
	defer close(l.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		l.baton.Lock()
		did, wait := l.step()
		l.baton.Unlock()
		if did {
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-timer.C:
		}
	}
	l.end()
}

// end lets every task go on, until none is left. Who is stuck outside is not waited for, for long.
func (l *Loop) end() {
	late := time.NewTimer(outsideTime / 2)
	defer late.Stop()
	for {
		l.baton.Lock()
		l.over = true
		t, left := l.next(func(*task) bool { return true })
		if t != nil {
			l.turn(t)
		}
		l.baton.Unlock()
		switch {
		case !left:
			return
		case t == nil: // the others are outside
			select {
			case <-l.wake:
			case <-late.C:
				return
			}
		}
	}
}

// step does the next thing, or says how long to wait for it. It needs the baton.
func (l *Loop) step() (did bool, wait time.Duration) {
	l.mu.Lock()
	held := l.held > 0
	l.mu.Unlock()
	if held {
		return false, time.Hour
	}
	// A task that is always ready does not keep the events from their turn.
	if !l.turned || !l.due() {
		if t, _ := l.next(func(t *task) bool { return t.ready() }); t != nil {
			l.turned = true
			l.turn(t)
			l.happened()
			return true, 0
		}
	}
	l.turned = false
	f, wait, happens := l.take()
	if f == nil {
		return false, wait
	}
	l.contained(f)
	if happens {
		l.happened()
	}
	return true, 0
}

// due reports whether an event is due now.
func (l *Loop) due() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.queue.first()
	return t != nil && (l.wall && time.Until(t.at) <= 0 || !l.wall && !t.at.After(l.now))
}

// next takes the first task out of the queue for which is reports true; left says whether there are any that have not ended.
func (l *Loop) next(is func(*task) bool) (first *task, left bool) {
	l.mu.Lock()
	all := l.tasks // is must not be called under the lock; only the holder of the baton takes tasks out
	l.mu.Unlock()
	i := slices.IndexFunc(all, is)
	l.mu.Lock()
	defer l.mu.Unlock()
	if i >= 0 {
		first = l.tasks[i]
		l.tasks = slices.Concat(l.tasks[:i], l.tasks[i+1:])
	}
	return first, l.all > 0
}

// turn lets a task run until it waits.
func (l *Loop) turn(t *task) {
	l.current = t
	t.resume <- struct{}{}
	<-t.yield
	l.current = nil
}

func (l *Loop) contained(f func()) {
	defer func() {
		if fault := recover(); fault != nil {
			l.fault(fmt.Errorf("%v\n%s", fault, debug.Stack()))
		}
	}()
	f()
}

// happened tells whoever wants to know that something has.
func (l *Loop) happened() {
	now := l.Now()
	l.mu.Lock()
	l.last = now
	l.mu.Unlock()
	l.hook(now)
}

func (l *Loop) hook(now time.Time) {
	for _, f := range l.hooks {
		(*f)(now)
	}
}

// While virtual time passes without anything happening, hooks are called this often: at first, and when that has been so for long.
const (
	soon     = 10 * time.Millisecond
	soonFor  = 5 * time.Second
	lateEach = time.Second
)

// take takes what happens next, or says how long that will take. Where nothing happens it is only the hooks that are called.
func (l *Loop) take() (f func(), wait time.Duration, happens bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.queue.first()
	if l.wall {
		if t == nil {
			return nil, time.Hour, false
		}
		if wait = time.Until(t.at); wait > 0 {
			return nil, wait, false
		}
		heap.Pop(&l.queue)
		return t.f, 0, true
	}
	var at time.Time // when the next thing happens
	var own *source  // which is this source's; nil: the first timer's
	if t != nil {
		at = t.at
	}
	for _, s := range l.sources {
		if due := s.deadline(); !due.IsZero() && (at.IsZero() || due.Before(at)) {
			at, own = due, s
		}
	}
	if at.IsZero() {
		return nil, time.Hour, false
	}
	if at.After(l.now) {
		if wait = l.advance(at); wait > 0 {
			return nil, wait, false
		}
		if l.now.Before(at) {
			now := l.now
			return func() { l.hook(now) }, 0, false
		}
	}
	if own != nil {
		now := l.now
		return func() { own.do(now) }, 0, true
	}
	heap.Pop(&l.queue)
	return t.f, 0, true
}

// advance lets virtual time pass to at, or to the next moment before at at which hooks are called, if it may pass; else it says for
// how long it may not. It needs mu.
func (l *Loop) advance(at time.Time) (wait time.Duration) {
	if l.waiting <= l.resting || l.stalled > 0 {
		return time.Hour
	}
	each := soon
	if l.now.Sub(l.last) >= soonFor {
		each = lateEach
	}
	next := Epoch.Add((l.now.Sub(Epoch)/each + 1) * each)
	if at.Before(next) {
		next = at
	}
	if l.tied > 0 {
		if ahead := next.Sub(l.now) + l.tie - l.behind(); ahead > 0 {
			return ahead
		}
	}
	l.now = next
	return 0
}

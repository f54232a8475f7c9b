package sim

import (
	"container/heap"
	"time"
)

// Epoch is when every simulated world begins: midnight of a fixed day, so that no run can be told from another.
var Epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Scheduler is all that machines know of time. Functions run one at a time, in the order of their moments and among
// equal moments in the order in which they were asked for, and never before After has returned: whoever schedules needs
// no lock against what it has scheduled. A Clock is one for the copy of a lab in which a question is tried out, a Loop for a lab.
type Scheduler interface {
	// Now returns the current moment.
	Now() time.Time
	// After runs f once, d from now; what should have happened already happens next.
	After(d time.Duration, f func()) *Timer
}

// Timer is a function that waits for its moment.
type Timer struct {
	at  time.Time
	seq uint64
	f   func()
}

// Stop keeps the function from running. It may be called at any time on the scheduler's own goroutine, also on a nil
// Timer.
func (t *Timer) Stop() {
	if t != nil {
		t.f = nil
	}
}

// Clock is time in a simulated world: it stands still while something happens, and jumps to the next thing that is due.
// It belongs to one goroutine.
type Clock struct {
	now   time.Time
	queue timers
}

// NewClock returns a clock that stands at a moment.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now implements Scheduler.
func (c *Clock) Now() time.Time { return c.now }

// After implements Scheduler.
func (c *Clock) After(d time.Duration, f func()) *Timer { return c.At(c.now.Add(d), f) }

// At runs f at t, or next if t has passed.
func (c *Clock) At(t time.Time, f func()) *Timer {
	if t.Before(c.now) {
		t = c.now
	}
	return c.queue.add(t, f)
}

// Next returns when Step will have something to do; ok is false if never.
func (c *Clock) Next() (t time.Time, ok bool) {
	timer := c.queue.first()
	if timer == nil {
		return time.Time{}, false
	}
	return timer.at, true
}

// Step goes to the next moment for which something is scheduled and does that one thing. It returns false if there was
// nothing.
func (c *Clock) Step() bool {
	t := c.queue.first()
	if t == nil {
		return false
	}
	heap.Pop(&c.queue)
	c.now = t.at
	t.f()
	return true
}

// timers is a heap, see container/heap. Stopped timers leave it when they come to its top.
type timers struct {
	heap []*Timer
	seq  uint64
}

func (q *timers) add(at time.Time, f func()) *Timer {
	q.seq++
	t := &Timer{at: at, seq: q.seq, f: f}
	heap.Push(q, t)
	return t
}

// first returns the timer that is due first, or nil.
func (q *timers) first() *Timer {
	for len(q.heap) > 0 {
		if t := q.heap[0]; t.f != nil {
			return t
		}
		heap.Pop(q)
	}
	return nil
}

func (q *timers) Len() int { return len(q.heap) }

func (q *timers) Less(i, j int) bool {
	a, b := q.heap[i], q.heap[j]
	return a.at.Before(b.at) || a.at.Equal(b.at) && a.seq < b.seq
}

func (q *timers) Swap(i, j int) { q.heap[i], q.heap[j] = q.heap[j], q.heap[i] }

// Push implements heap.Interface.
func (q *timers) Push(t any) { q.heap = append(q.heap, t.(*Timer)) }

// Pop implements heap.Interface.
func (q *timers) Pop() any {
	last := len(q.heap) - 1
	t := q.heap[last]
	q.heap[last] = nil
	q.heap = q.heap[:last]
	return t
}

package world

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"uswitch/tap"
)

// wordAfter is how long the end of commands is waited for without a word.
const wordAfter = time.Second

// Run starts the commands of the hosts, each when what it depends on has got there, and returns when the lab is over: neither
// its plan nor Options.Stays keeps it up and every command of a host that is not passive has ended, or ctx ends. Hosts that come later
// count as those of the plan do; one without a command, and a lab that nobody but passive hosts is left in, keep it up.
// Before Run returns, every command has been ended, and the world changes no more. It returns the first status that was not
// 0 of those that ended by themselves, and whether that was all of them. Virtual time passes meanwhile.
func (w *World) Run(ctx context.Context) (status int, complete bool) { return w.run(ctx, nil) }

// Stay is Run for a lab that somebody uses meanwhile: virtual time passes only while they wait for something. begun is called when
// the commands run that wait for nobody, and in virtual time have had a moment to begin what they do.
func (w *World) Stay(ctx context.Context, begun func()) { w.run(ctx, begun) }

func (w *World) run(ctx context.Context, begun func()) (status int, complete bool) {
	w.changing.Lock()
	release := w.clock.Hold()
	for _, h := range w.Hosts() {
		w.launch(h)
	}
	w.changing.Unlock()
	leave := w.clock.Attend(false)
	over := make(chan struct{})
	if begun != nil {
		w.clock.Go(func() {
			w.Settle(ctx)
			leave()
			begun()
		})
	}
	w.clock.Go(func() {
		defer close(over)
		defer leave() // at the very moment of the end: no time passes after it
		for ctx.Err() == nil {
			stirred := w.stirred.next()
			if complete = w.complete(); complete {
				w.Settle(ctx)
				return
			}
			w.clock.Await(stirred, ctx.Done())
		}
	})
	release()
	<-over
	w.changing.Lock()
	w.up = false
	w.changing.Unlock()
	w.stopAll()
	return int(w.status.Load()), complete
}

// stir wakes Run.
func (w *World) stir() { w.stirred.notify() }

// notifier wakes those who wait for its next notice.
type notifier struct{ now atomic.Pointer[chan struct{}] }

func newNotifier() *notifier {
	b := new(notifier)
	b.notify()
	return b
}

// next returns what the next ring closes.
func (b *notifier) next() <-chan struct{} { return *b.now.Load() }

func (b *notifier) notify() {
	c := make(chan struct{})
	if before := b.now.Swap(&c); before != nil {
		close(*before)
	}
}

// complete reports whether the lab is over. While it changes it is not: a command that is restarted has not ended. The change's
// end stirs.
func (w *World) complete() bool {
	if !w.changing.TryLock() {
		return false
	}
	defer w.changing.Unlock()
	now := w.now.Load()
	active := false
	for _, h := range now.hosts {
		if h.Plan.Passive {
			continue
		}
		if state, _, _ := h.Service(); state != Ended {
			return false
		}
		active = true
	}
	return active && !now.plan.KeepUp && !w.stays
}

// enterStatus remembers the status of a command that has ended by itself, if it is the first that is not 0.
func (w *World) enterStatus(status int) { w.status.CompareAndSwap(0, int32(status)) }

// stopAll ends what still runs, all at once, and waits for it.
func (w *World) stopAll() {
	late := time.AfterFunc(wordAfter, w.tellLate)
	defer late.Stop()
	release := w.clock.Hold()
	var told []*Host
	for _, h := range w.Hosts() {
		if h.service.tell(syscall.SIGTERM) {
			told = append(told, h)
		}
	}
	release()
	var all sync.WaitGroup
	for _, h := range told {
		all.Go(func() { h.service.awaitEnd(Patience) })
	}
	all.Wait()
}

// tellLate says whom the end waits for.
func (w *World) tellLate() {
	var names []string
	for _, h := range w.Hosts() {
		if state, _, _ := h.Service(); state == Running {
			names = append(names, h.Plan.Name)
		}
	}
	if len(names) > 0 {
		w.report(fmt.Sprintf("waiting for the command of %s to end; %v after it was asked to, it is made to", strings.Join(names, ", "), Patience))
	}
}

// reaper ends what is inside of namespaces. To find it, each process of the machine must be looked at; so those who ask at
// the same time share a look, or hosts that go together would look at each other's processes, each at all of them.
type reaper struct {
	looking sync.Mutex // held during a look

	mu   sync.Mutex // guards next
	next *round     // the look that has not begun yet; nil: nobody has asked for it
}

// round is one look.
type round struct {
	namespaces map[uint64]bool // by inode number
	over       chan struct{}   // closed when it has ended
}

// end ends the processes that are in a namespace when it is called, all at once.
func (r *reaper) end(ns tap.Namespace) {
	r.mu.Lock()
	mine := r.next
	first := mine == nil
	if first {
		mine = &round{namespaces: map[uint64]bool{}, over: make(chan struct{})}
		r.next = mine
	}
	mine.namespaces[ns.ID.Inode] = true
	r.mu.Unlock()
	if !first {
		<-mine.over
		return
	}
	defer close(mine.over)
	r.looking.Lock() // others join the round until the look before it has ended
	defer r.looking.Unlock()
	r.mu.Lock()
	r.next = nil
	r.mu.Unlock()
	endInside(mine.namespaces)
}

package world

import (
	"sync"

	"uswitch/tap"
)

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

package tap

import (
	"errors"
	"maps"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// bell rings watches whenever a link changes in their card's namespace. One netlink socket serves them all: the kernel's
// work for an event grows with the sockets that might hear it. The socket is in a workshop, for inside a card's namespace
// it would keep that alive, and listens to every namespace that has a number there (NETLINK_LISTEN_ALL_NSID); a message is
// no more than the hint to look.
type bell struct {
	socket *os.File
	looks  chan struct{} // has room for the watches that may look at the same time

	mu      sync.Mutex // guards what follows
	watches map[int]map[*watch]bool
	numbers map[*watch]int // where each hangs
}

// looksAtOnce bounds the threads that look: messages that were lost make every watch of a lab look, and there may be
// thousands.
const looksAtOnce = 32

// theBell returns the Host's bell, which is made with the first watch.
func (l *local) theBell() (*bell, error) {
	l.bellMu.Lock()
	defer l.bellMu.Unlock()
	if l.bell != nil {
		return l.bell, nil
	}
	socket, err := l.listen()
	if err != nil {
		return nil, err
	}
	l.bell = &bell{socket: socket, looks: make(chan struct{}, looksAtOnce), watches: map[int]map[*watch]bool{}, numbers: map[*watch]int{}}
	go l.bell.run()
	return l.bell, nil
}

// hang makes the bell ring for a watch when something changes in the namespace of that number, and in no other.
func (b *bell) hang(w *watch, nsid int) {
	b.remove(w)
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.stopped.Load() {
		return // and removed already
	}
	if b.watches[nsid] == nil {
		b.watches[nsid] = map[*watch]bool{}
	}
	b.watches[nsid][w], b.numbers[w] = true, nsid
}

func (b *bell) remove(w *watch) {
	b.mu.Lock()
	defer b.mu.Unlock()
	nsid, hangs := b.numbers[w]
	if !hangs {
		return
	}
	delete(b.numbers, w)
	delete(b.watches[nsid], w)
	if len(b.watches[nsid]) == 0 {
		delete(b.watches, nsid)
	}
}

// run rings until the socket is closed. Where messages were lost, it rings for everybody.
func (b *bell) run() {
	for {
		nsid, err := receive(b.socket)
		lost := errors.Is(err, unix.ENOBUFS)
		if err != nil && !lost {
			return
		}
		for _, w := range b.hanging(nsid, lost) {
			w.ring()
		}
	}
}

// hanging returns the watches at a number, or all.
func (b *bell) hanging(nsid int, all bool) []*watch {
	b.mu.Lock()
	defer b.mu.Unlock()
	if all {
		return slices.Collect(maps.Keys(b.numbers))
	}
	return slices.Collect(maps.Keys(b.watches[nsid]))
}

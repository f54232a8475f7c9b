//go:build !js

package uplink

import (
	"slices"
	"sync"
)

// workers are goroutines that have a connection each and are kept when it is over. The way from a socket through netstack and the
// gateway to an interface takes more than 16 KiB of stack, and a new goroutine begins with 2 to 8: it would be made larger in several
// steps, each a copy of all that is on it, for every connection anew. The last one that has become free is the next one to work,
// for its stack is still in the processor's cache; those of the others shrink when garbage is collected.
type workers struct {
	mu   sync.Mutex // guards what follows
	idle []chan func()
}

// maxIdle bounds the goroutines that are kept.
const maxIdle = 64

// work has a goroutine run f, which Close waits for. It returns false if the Host was closed before, and f is not run then.
func (h *Host) work(f func()) bool {
	return h.workers.take(f) || h.start(func() { h.workOn(f) })
}

// take hands f to a worker that is free, if one is.
func (w *workers) take(f func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := len(w.idle) - 1
	if last < 0 {
		return false
	}
	w.idle[last] <- f // which has room for one
	w.idle = w.idle[:last]
	return true
}

// workOn runs f, and then what work has to do, for as long as it is kept.
func (h *Host) workOn(f func()) {
	growStack(0)
	given := make(chan func(), 1)
	for f != nil {
		f()
		f = nil
		if !h.workers.rest(given) {
			return
		}
		select {
		case f = <-given:
		case <-h.done:
			if !h.workers.leave(given) {
				f = <-given // at the last moment
			}
		}
	}
}

// rest says that a worker is free, unless enough of them are.
func (w *workers) rest(given chan func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.idle) >= maxIdle {
		return false
	}
	w.idle = append(w.idle, given)
	return true
}

// leave says that a worker is no longer free. It returns false if it is not anyway.
func (w *workers) leave(given chan func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.idle, given)
	if i < 0 {
		return false
	}
	w.idle = slices.Delete(w.idle, i, i+1)
	return true
}

// growStack makes the calling goroutine's stack as large as netstack's and the gateway's calls need it, while there is hardly
// anything on it.
//
//go:noinline
func growStack(i int) byte {
	var room [20 << 10]byte
	return room[i%len(room)]
}

package engine

import (
	"bytes"
	"io"
	"sync"
)

// attachment is somebody who sees a command's output and perhaps types its input. What they have not read yet waits in a
// queue of their own:
//
//	push --> queue --> show --> to
type attachment struct {
	in    io.Reader              // nil: nothing is typed
	to    func(stream) io.Writer // each Write is one of the command's
	ended chan struct{}          // closed when there will be no more output and all of it was read, or nobody reads it

	mu      sync.Mutex
	changed sync.Cond // what follows has
	queue   []shown
	bytes   int  // in queue
	rushed  bool // nobody waits for the reader any more
	over    bool // nothing comes behind the queue
	gone    bool // nobody reads any more
}

// shown is output that waits to be read.
type shown struct {
	stream stream
	text   []byte
}

// queueBytes is how far a reader may be behind before a command that runs waits, about what a pipe holds.
const queueBytes = 64 << 10

// attach returns an attachment that reads typed, if that is not nil.
func attach(typed io.Reader, to func(stream) io.Writer) *attachment {
	a := &attachment{in: typed, to: to, ended: make(chan struct{})}
	a.changed.L = &a.mu
	go a.show()
	return a
}

// push queues output, which is copied; it waits while the queue is full.
func (a *attachment) push(s stream, b []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.bytes >= queueBytes && !a.rushed && !a.gone {
		a.changed.Wait()
	}
	if a.gone {
		return
	}
	a.queue, a.bytes = append(a.queue, shown{s, bytes.Clone(b)}), a.bytes+len(b)
	a.changed.Broadcast()
}

// show writes what is queued until there is no more, or nobody reads it.
func (a *attachment) show() {
	defer close(a.ended)
	for {
		a.mu.Lock()
		for len(a.queue) == 0 && !a.over && !a.gone {
			a.changed.Wait()
		}
		if a.gone || len(a.queue) == 0 {
			a.mu.Unlock()
			return
		}
		next := a.queue[0]
		a.queue, a.bytes = a.queue[1:], a.bytes-len(next.text)
		a.changed.Broadcast()
		a.mu.Unlock()
		if _, err := a.to(next.stream).Write(next.text); err != nil {
			a.leave()
			return
		}
	}
}

// hurry lets nobody wait for the reader any more: the command has ended, and what it still had to say is not much.
func (a *attachment) hurry() { a.set(&a.rushed) }

// finish says that nothing comes any more.
func (a *attachment) finish() { a.set(&a.over) }

// leave says that nobody reads any more.
func (a *attachment) leave() { a.set(&a.gone) }

func (a *attachment) set(what *bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*what = true
	a.changed.Broadcast()
}

func (a *attachment) isGone() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.gone
}

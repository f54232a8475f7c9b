package engine

import (
	"bytes"
	"context"
	"io"
	"sync"

	"uswitch/cmd/internal/docker/types"
)

// listen attaches to a container: from now on if it runs, else from its next start on. What is read from in, unless that is
// nil, is typed there if it takes input.
func (e *Engine) listen(reference string, in io.Reader, to func(terminal bool) func(stream) io.Writer) (*attachment, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	switch {
	case err != nil:
		return nil, err
	case c.service != "":
		return nil, conflict("the output of %s is the lab's: uswitch docker logs -f %s", c.name, c.name)
	}
	if !c.config.OpenStdin {
		in = nil
	}
	a := attach(in, to(c.config.Tty))
	e.tellOf(c, "attach")
	if c.console != nil {
		c.console.join(a, c.config.StdinOnce)
	} else {
		c.waiting = append(c.waiting, a)
	}
	return a, nil
}

// Resize tells a container how large its terminal is. One that has none does not care.
func (e *Engine) Resize(reference string, rows, columns uint16) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	switch {
	case err != nil:
		return err
	case c.console == nil:
		return conflict("container %s is not running", c.id)
	}
	return c.console.resize(rows, columns)
}

// Wait returns a function that waits for the end of a container's run, of its next one if next and it does not run, or, if
// removed, until it is gone; it returns the command's status.
func (e *Engine) Wait(reference, condition string) (func(context.Context) (types.WaitResponse, error), error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	if err != nil {
		return nil, err
	}
	if c.service != "" {
		return nil, conflict("%s is a service of the lab's file", c.name)
	}
	done := c.ended
	switch {
	case condition == "removed":
		done = c.removed
	case done == nil, condition == "next-exit" && !c.state.Running:
		done = make(chan struct{})
		c.next = append(c.next, done)
	}
	return func(ctx context.Context) (types.WaitResponse, error) {
		select {
		case <-done:
		case <-ctx.Done():
			return types.WaitResponse{}, ctx.Err()
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		return types.WaitResponse{StatusCode: c.state.ExitCode}, nil
	}, nil
}

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

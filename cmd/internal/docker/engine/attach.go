package engine

import (
	"context"
	"io"

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

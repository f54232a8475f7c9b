package simhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// call is one program that runs: as a process, or as a command of a shell.
type call struct {
	ctx            context.Context // ends with the program's end; its cause is a signalError
	space          *space
	process        *process
	name           string
	args           []string // the words behind the name
	env            []string // KEY=value
	dir            string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// program does what a program of that name does and returns its exit status. It runs on a goroutine of its own.
type program func(*call) int

// run runs the program. One that a signal has ended has the status of that.
func (c *call) run() int {
	ctx := c.ctx // a program may give itself less time
	status := programs[c.name](c)
	if ctx.Err() != nil && status != finished {
		return statusOf(ctx)
	}
	return max(status, 0)
}

// finished is the status 0 of a program that has caught the signal that was to end it.
const finished = -1

// interrupted reports whether somebody has pressed Ctrl-C.
func (c *call) interrupted() bool {
	var s signalError
	return errors.As(context.Cause(c.ctx), &s) && s.signal == syscall.SIGINT
}

// fail writes a program's complaint, in its name, and returns its status.
func (c *call) fail(status int, format string, args ...any) int {
	fmt.Fprintf(c.stderr, c.name+": "+format+"\n", args...)
	return status
}

// there runs something on the goroutine of the hosts: begin starts it, with what it writes to, and it calls done once with
// its status. What begin returns stops it, upon which it calls done too. What it writes is passed on here, so that a
// reader who takes his time holds up this program and nothing else.
func (c *call) there(begin func(out io.Writer, done func(status int)) (stop func())) int {
	q := newQueue()
	var stop func()
	if err := c.space.owner.do(func() { stop = begin(q, q.end) }); err != nil {
		return c.fail(1, "%v", err)
	}
	unwatch := context.AfterFunc(c.ctx, func() { _ = c.space.owner.do(stop) })
	defer unwatch()
	for {
		text, status, ended := q.next(c.space.owner.ended)
		if c.ctx.Err() != nil && !c.interrupted() {
			return statusOf(c.ctx)
		}
		if _, err := c.stdout.Write(text); err != nil || ended {
			return status
		}
	}
}

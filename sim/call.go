package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// Program does what a program of some name does in a namespace, and returns its exit status. It runs as a task of the Loop, and must
// start no goroutines, nor call what does.
type Program func(*Call) int

// Call is one program that runs: as a process, or as a command of a shell. A program may change its fields.
type Call struct {
	Ctx            context.Context // ends with the program's end; its cause is an Ended
	Namespace      *Namespace
	Name           string
	Args           []string // the words behind the name
	Env            []string // KEY=value
	Dir            string
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	process *process // nil: a command of a shell
}

// Run runs another program of the same namespace, in place of this one: the Call is the new one's. The error, if there is no such
// program, names those that there are.
func (c *Call) Run() (status int, err error) {
	if h := c.Namespace.owner; h.programs[c.Name] == nil {
		return 0, h.unknown(c.Name)
	}
	return c.run(), nil
}

// run runs the program. One that a signal has ended has the status of that.
func (c *Call) run() int {
	ctx := c.Ctx // a program may give itself less time
	status := c.Namespace.owner.programs[c.Name](c)
	if ctx.Err() != nil && status != Finished {
		return StatusOf(ctx)
	}
	return max(status, 0)
}

// Finished is the status 0 of a program that has caught the signal that was to end it.
const Finished = -1

// Interrupted reports whether somebody has pressed Ctrl-C.
func (c *Call) Interrupted() bool {
	var s Ended
	return errors.As(context.Cause(c.Ctx), &s) && s.By == syscall.SIGINT
}

// CatchInterrupt has f called for each Ctrl-C, which does not end the program then. f may run on any goroutine. It does nothing for a
// command of a shell.
func (c *Call) CatchInterrupt(f func()) {
	if c.process != nil {
		c.process.caught.Store(&f)
	}
}

// Fail writes a program's complaint, in its name, and returns its status.
func (c *Call) Fail(status int, format string, args ...any) int {
	fmt.Fprintf(c.Stderr, c.Name+": "+format+"\n", args...)
	return status
}

// Loop is what the program runs on.
func (c *Call) Loop() *Loop { return c.Namespace.Loop() }

// Sockets are those of the program's host.
func (c *Call) Sockets() Sockets {
	return Sockets{Loop: c.Loop(), Machine: c.Namespace.Host.Machine}
}

// There has the host itself do something: begin starts it, with what it writes to, and it calls done once with its status.
// What begin returns stops it, upon which it calls done too. What it writes is passed on here, where it may wait for a reader.
func (c *Call) There(begin func(out io.Writer, done func(status int)) (stop func())) int {
	var written bytes.Buffer
	status, ended := 0, false
	stop := begin(&written, func(s int) {
		if !ended {
			status, ended = s, true
		}
	})
	for stopped := false; ; {
		if err := c.Loop().WaitOr(c.Ctx, func() bool { return ended || written.Len() > 0 }); errors.Is(err, ErrOver) {
			return c.Fail(1, "%v", err)
		}
		if c.Ctx.Err() != nil && !stopped {
			stopped = true
			stop()
			if !c.Interrupted() {
				return StatusOf(c.Ctx)
			}
		}
		text := bytes.Clone(written.Bytes())
		written.Reset()
		over := ended
		if _, err := c.Stdout.Write(text); err != nil || over {
			return status
		}
	}
}

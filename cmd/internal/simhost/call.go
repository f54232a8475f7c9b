package simhost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"uswitch/sim"
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

// program does what a program of that name does and returns its exit status. It runs as a task of the hosts' Loop.
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

// loop is what the program runs on.
func (c *call) loop() *sim.Loop { return c.space.owner.loop }

// sockets are those of the program's host.
func (c *call) sockets() sim.Sockets {
	return sim.Sockets{Loop: c.loop(), Machine: c.space.machine.Machine}
}

// there has the host itself do something: begin starts it, with what it writes to, and it calls done once with its status.
// What begin returns stops it, upon which it calls done too. What it writes is passed on here, where it may wait for a reader.
func (c *call) there(begin func(out io.Writer, done func(status int)) (stop func())) int {
	var written bytes.Buffer
	status, ended := 0, false
	stop := begin(&written, func(s int) {
		if !ended {
			status, ended = s, true
		}
	})
	for stopped := false; ; {
		if err := c.loop().WaitOr(c.ctx, func() bool { return ended || written.Len() > 0 }); errors.Is(err, sim.ErrOver) {
			return c.fail(1, "%v", err)
		}
		if c.ctx.Err() != nil && !stopped {
			stopped = true
			stop()
			if !c.interrupted() {
				return statusOf(c.ctx)
			}
		}
		text := bytes.Clone(written.Bytes())
		written.Reset()
		over := ended
		if _, err := c.stdout.Write(text); err != nil || over {
			return status
		}
	}
}

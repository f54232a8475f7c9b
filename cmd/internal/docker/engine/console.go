package engine

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"uswitch/tap"
)

// console is where a running command reads and writes: pipes, or a terminal of its own. What it writes goes to the
// container's journal and to everybody who is attached, whom the command waits for while it runs.
//
//	attached --> stdin --> command --> stdout, stderr --> journal
//	                                                  --> attached, attached, ...
type console struct {
	journal  *journal
	terminal *os.File // the near end of the command's terminal, or nil
	stdin    io.WriteCloser

	mu       sync.Mutex // guards what follows
	attached []*attachment
	ended    bool // the command has; who is attached reads the rest in their own time
}

// outputGrace is how long the output of a command that has ended is waited for: somebody else may hold the other end.
const outputGrace = 500 * time.Millisecond

// newConsole gives a command its input and output, before it is started. The command leads a process group of its own, or
// with a terminal a session.
func newConsole(cmd *exec.Cmd, j *journal, terminal, stdin bool) (c *console, started func(), err error) {
	c = &console{journal: j}
	if terminal {
		return c.openTerminal(cmd)
	}
	cmd.SysProcAttr = tap.OwnGroup()
	if stdin {
		if c.stdin, err = cmd.StdinPipe(); err != nil {
			return nil, nil, err
		}
	}
	cmd.Stdout, cmd.Stderr = output{c, stdout}, output{c, stderr}
	return c, func() {}, nil
}

// join shows all output from now on to a reader, and gives the command what the reader types. The end of that is the end of
// the command's input if once is set, unless it is a terminal.
func (c *console) join(a *attachment, once bool) {
	c.mu.Lock()
	c.attached = append(c.attached, a)
	if c.ended {
		a.hurry()
	}
	c.mu.Unlock()
	if a.in == nil || c.stdin == nil {
		return
	}
	go func() {
		_, _ = io.Copy(c.stdin, a.in)
		if c.terminal == nil && once {
			c.stdin.Close()
		}
	}()
}

// watched reports whether somebody reads what the command writes.
func (c *console) watched() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.attached) > 0
}

// wait waits for the end of the command and of its output, and returns its status. Whoever is attached may not have read all
// of that yet.
func (c *console) wait(p tap.Process) (status int) {
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		if c.terminal != nil {
			tap.CopyOutput(output{c, stdout}, c.terminal, p.Ended(), outputGrace)
		}
	}()
	<-p.Ended()
	c.mu.Lock()
	c.ended = true
	for _, a := range c.attached {
		a.hurry()
	}
	c.mu.Unlock()
	status = p.Wait()
	<-copied
	return status
}

// close ends everything; all that the command has written has been copied.
func (c *console) close() {
	if c.terminal != nil {
		c.terminal.Close()
	} else if c.stdin != nil {
		c.stdin.Close()
	}
	c.journal.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.attached {
		a.finish()
	}
	c.attached = nil
}

// output is one of the command's outputs.
type output struct {
	console *console
	stream  stream
}

// Write never fails: a command does not end because somebody looks away. It waits for those who are attached and slow, until
// the command has ended.
func (o output) Write(b []byte) (int, error) {
	c := o.console
	c.journal.write(o.stream, b)
	c.mu.Lock()
	c.attached = slices.DeleteFunc(c.attached, (*attachment).isGone)
	attached := slices.Clone(c.attached)
	c.mu.Unlock()
	for _, a := range attached {
		a.push(o.stream, b)
	}
	return len(b), nil
}

package simhost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"uswitch/sim"
	"uswitch/tap"
)

// process is a program that runs on a simulated host. It implements tap.Process.
type process struct {
	space  *space
	cancel context.CancelCauseFunc
	ctx    context.Context
	grace  time.Duration         // for output that nobody takes, once it was ended
	shell  atomic.Pointer[shell] // of an interactive shell, which outlives a Ctrl-C; else nil
	ended  chan struct{}
	once   sync.Once
	status int // set before ended is closed
}

// signalError is why a program ends before its end.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string { return e.signal.String() }

// Start implements tap.Host. Of the command its words, its environment, its directory and its streams count: the program
// is one of Programs by that name, wherever this machine has one.
func (h *Host) Start(ns tap.Namespace, cmd *exec.Cmd) (tap.Process, error) {
	s, err := h.find(ns)
	if err != nil {
		return nil, err
	}
	name := nameOf(cmd)
	if programs[name] == nil {
		return nil, unknownError(name)
	}
	directory := *cmd
	directory.Err = nil // whether this machine has such a program is no matter
	if err := tap.Startable(&directory); err != nil {
		return nil, err
	}
	p := &process{space: s, grace: cmd.WaitDelay, ended: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, fmt.Errorf("simulated host %s: %w", s.Name, tap.ErrReplaced)
	}
	s.processes = append(s.processes, p)
	c := &call{ctx: p.ctx, space: s, process: p, name: name, args: cmd.Args[1:], env: cmd.Environ(), dir: cmd.Dir,
		stdin: io.Reader(strings.NewReader("")), stdout: outsideWriter{h.loop, orElse(cmd.Stdout, io.Discard)}, stderr: outsideWriter{h.loop, orElse(cmd.Stderr, io.Discard)}}
	if cmd.Stdin != nil {
		c.stdin = outsideReader{h.loop, cmd.Stdin, sim.Reading}
	}
	h.loop.Go(func() { p.run(c) })
	return p, nil
}

// outsideWriter is what a program writes to that is not of the lab.
type outsideWriter struct {
	loop *sim.Loop
	out  io.Writer
}

// Write implements io.Writer.
func (w outsideWriter) Write(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	w.loop.Outside(sim.Writing, func() { n, err = w.out.Write(b) })
	return n, err
}

// outsideReader is what a program reads from that is not of the lab.
type outsideReader struct {
	loop *sim.Loop
	in   io.Reader
	what sim.Outward
}

// Read implements io.Reader.
func (r outsideReader) Read(b []byte) (n int, err error) {
	r.loop.Outside(r.what, func() { n, err = r.in.Read(b) })
	return n, err
}

// StartAs implements tap.Host: what programs in memory may do to this machine is the same for all of them.
func (h *Host) StartAs(ns tap.Namespace, cmd *exec.Cmd, _ tap.Rights) (tap.Process, error) {
	return h.Start(ns, cmd)
}

func orElse[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// nameOf returns the name of the program that is meant: of a path, its last element, as in /usr/bin/ping; and uswitch for
// this very program, however its file is called.
func nameOf(cmd *exec.Cmd) string {
	if self, err := os.Executable(); err == nil && cmd.Args[0] == self {
		return "uswitch"
	}
	return filepath.Base(cmd.Args[0])
}

// unknownError is the name of a program that cannot be simulated.
type unknownError string

func (e unknownError) Error() string {
	return fmt.Sprintf("%s cannot be simulated; what can is %s", string(e), strings.Join(Programs(), ", "))
}

func (unknownError) Unwrap() error { return exec.ErrNotFound }

func (p *process) run(c *call) {
	status := c.run()
	s := p.space
	s.mu.Lock()
	s.processes = slices.DeleteFunc(s.processes, func(o *process) bool { return o == p })
	s.mu.Unlock()
	p.end(status)
	p.cancel(nil)
}

func (p *process) end(status int) {
	p.once.Do(func() {
		p.status = status
		close(p.ended)
	})
}

// PID implements tap.Process: there is no process.
func (*process) PID() int { return 0 }

// Ended implements tap.Process.
func (p *process) Ended() <-chan struct{} { return p.ended }

// Signal implements tap.Process. A program that catches it, as ping does SIGINT, ends in order, every other one at once. An
// interactive shell passes SIGINT on to what it runs.
func (p *process) Signal(sig syscall.Signal) error {
	if shell := p.shell.Load(); shell != nil && sig == syscall.SIGINT {
		shell.interrupt()
		return nil
	}
	p.cancel(signalError{sig})
	p.space.owner.loop.Look()
	time.AfterFunc(max(p.grace, minGrace), func() { p.end(statusOf(p.ctx)) })
	return nil
}

func (p *process) kill() { _ = p.Signal(syscall.SIGKILL) }

// Wait implements tap.Process. A program that was ended and is stuck in output that nobody takes is not waited for.
func (p *process) Wait() (status int) {
	<-p.ended
	return p.status
}

// minGrace is how long a program may take to notice that it was ended.
const minGrace = 500 * time.Millisecond

// statusOf returns the status of a program that ctx has ended: 128 and the signal's number.
func statusOf(ctx context.Context) int {
	var s signalError
	if errors.As(context.Cause(ctx), &s) {
		return 128 + int(s.signal)
	}
	return 128 + int(syscall.SIGKILL)
}

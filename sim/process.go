package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"uswitch/tap"
)

// process is a program that runs on a simulated host. It implements tap.Process.
type process struct {
	namespace *Namespace
	cancel    context.CancelCauseFunc
	ctx       context.Context
	grace     time.Duration          // for output that nobody takes, once it was ended
	caught    atomic.Pointer[func()] // what SIGINT does in place of ending the program; nil: nothing
	ended     chan struct{}
	once      sync.Once
	status    int // set before ended is closed
	streams   *streams
}

// Ended is why a program ends before its end.
type Ended struct{ By syscall.Signal }

func (e Ended) Error() string { return e.By.String() }

// Start implements tap.Host. Of the command its words, its environment, its directory and its streams count: the program
// is the one of that name that NewNamespaces was given, wherever this machine has one.
func (h *Namespaces) Start(ns tap.Namespace, cmd *exec.Cmd) (tap.Process, error) {
	s, err := h.find(ns)
	if err != nil {
		return nil, err
	}
	name := nameOf(cmd)
	if h.programs[name] == nil {
		return nil, h.unknown(name)
	}
	directory := *cmd
	directory.Err = nil // whether this machine has such a program is no matter
	if err := tap.Startable(&directory); err != nil {
		return nil, err
	}
	own, err := ownStreams(cmd.Stdin, cmd.Stdout, cmd.Stderr)
	if err != nil {
		return nil, err
	}
	p := &process{namespace: s, grace: cmd.WaitDelay, ended: make(chan struct{}), streams: own}
	p.ctx, p.cancel = context.WithCancelCause(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		own.close()
		return nil, fmt.Errorf("simulated host %s: %w", s.Name, tap.ErrReplaced)
	}
	s.processes = append(s.processes, p)
	c := &Call{Ctx: p.ctx, Namespace: s, process: p, Name: name, Args: cmd.Args[1:], Env: cmd.Environ(), Dir: cmd.Dir, Stdin: strings.NewReader(""),
		Stdout: outsideWriter{h.loop, cmp.Or(own.out, io.Discard)}, Stderr: outsideWriter{h.loop, cmp.Or(own.errs, io.Discard)}}
	if own.in != nil {
		c.Stdin = outsideReader{h.loop, own.in, Reading}
	}
	h.loop.Go(func() { p.run(c) })
	return p, nil
}

// outsideWriter is what a program writes to that is not of the lab.
type outsideWriter struct {
	loop *Loop
	out  io.Writer
}

// Write implements io.Writer.
func (w outsideWriter) Write(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	w.loop.Outside(Writing, func() { n, err = w.out.Write(b) })
	return n, err
}

// outsideReader is what a program reads from that is not of the lab.
type outsideReader struct {
	loop *Loop
	in   io.Reader
	what Outward
}

// Read implements io.Reader.
func (r outsideReader) Read(b []byte) (n int, err error) {
	r.loop.Outside(r.what, func() { n, err = r.in.Read(b) })
	return n, err
}

// Typed returns what a program reads as what a person types: nobody waits for the lab meanwhile.
func Typed(in io.Reader) io.Reader {
	if outside, ok := in.(outsideReader); ok {
		outside.what = Resting
		return outside
	}
	return in
}

// StartAs implements tap.Host: what programs in memory may do to this machine is the same for all of them.
func (h *Namespaces) StartAs(ns tap.Namespace, cmd *exec.Cmd, _ tap.Rights) (tap.Process, error) {
	return h.Start(ns, cmd)
}

// nameOf returns the name of the program that is meant: of a path, its last element, as in /usr/bin/ping; and uswitch for
// this very program, however its file is called.
func nameOf(cmd *exec.Cmd) string {
	if self, err := os.Executable(); err == nil && cmd.Args[0] == self {
		return "uswitch"
	}
	return filepath.Base(cmd.Args[0])
}

// unknownError is said of a program that cannot be simulated. It is exec.ErrNotFound to errors.Is.
type unknownError string

func (h *Namespaces) unknown(name string) error {
	return unknownError(fmt.Sprintf("%s cannot be simulated; what can is %s", name, strings.Join(slices.Sorted(maps.Keys(h.programs)), ", ")))
}

func (e unknownError) Error() string { return string(e) }
func (unknownError) Unwrap() error   { return exec.ErrNotFound }

func (p *process) run(c *Call) {
	status := c.run()
	s := p.namespace
	s.mu.Lock()
	s.processes = slices.DeleteFunc(s.processes, func(o *process) bool { return o == p })
	s.mu.Unlock()
	p.end(status)
	p.cancel(nil)
	p.streams.close()
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

// Signal implements tap.Process. A program that catches it, as ping does SIGINT, ends in order, every other one at once, unless
// it has said what else SIGINT does (Call.CatchInterrupt).
func (p *process) Signal(sig syscall.Signal) error {
	if caught := p.caught.Load(); caught != nil && sig == syscall.SIGINT {
		(*caught)()
		return nil
	}
	p.cancel(Ended{sig})
	p.namespace.owner.loop.Look()
	time.AfterFunc(max(p.grace, minGrace), func() { p.end(StatusOf(p.ctx)) })
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

// StatusOf returns the status of a program that ctx has ended: 128 and the signal's number.
func StatusOf(ctx context.Context) int {
	var s Ended
	if errors.As(context.Cause(ctx), &s) {
		return 128 + int(s.By)
	}
	return 128 + int(syscall.SIGKILL)
}

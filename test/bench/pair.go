//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"uswitch/switch/frame"
	"uswitch/tap"
)

// lab is the name under which the benchmark's namespaces are on record.
const lab = "bench"

// pair is two namespaces with a subject between them, and how the load travels.
type pair struct {
	*bench
	a, b  tap.Namespace // between two: client and server; else inside and outside
	third tap.Namespace // where a flood comes from, see flood.go

	target     netip.Addr     // where a client in a reaches servers of b
	gatewayMAC frame.MAC      // where a flood to the outside goes
	published  netip.AddrPort // where a client in b reaches a's server at servicePort, if the subject publishes ports
	rootless   bool           // the subject is a lab that makes its own a, and b if that is not the outside
	pids       []int          // the processes of the subject, for what they spend
	spent      cost           // by the last measurement
	undos      []func()
	said       said
	died       atomic.Bool // a program of the subject's has ended by itself
}

// said is what the subject's programs print, for when something goes wrong.
type said struct {
	mu   sync.Mutex
	text []byte
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.text) < 4096 {
		s.text = append(s.text, b...)
	}
	return len(b), nil
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

// undo adds a step to take the subject down; the last one is the first.
func (p *pair) undo(step func()) { p.undos = append(p.undos, step) }

// with makes the namespaces, puts the subject between them, and takes all away again.
func (b *bench) with(s subject, use func(*pair) error) (err error) {
	p := &pair{bench: b}
	for name, ns := range map[string]*tap.Namespace{"a": &p.a, "b": &p.b} {
		made, e := b.host.Create(lab, fmt.Sprintf("bench%d%s", os.Getpid(), name))
		if e != nil {
			return e
		}
		defer func() { err = errors.Join(err, b.host.Release(made)) }()
		*ns = made
	}
	defer func() {
		for _, step := range slices.Backward(p.undos) {
			step()
		}
	}()
	if err := s.up(p); err != nil {
		return err
	}
	return use(p)
}

// behind gives the load back the priority that this process has had. Everything that is measured goes before it: this process's
// own loops, uswitch, which gives itself precedence (tap.Precede), and so the peers too.
var behind = []string{"nice", "-n", "10"}

// command is a program in a namespace, which is killed when the run is interrupted.
func (p *pair) command(ns tap.Namespace, argv ...string) *exec.Cmd {
	return command(p.ctx, ns, argv...)
}

func command(ctx context.Context, ns tap.Namespace, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, behind[0], slices.Concat(behind[1:], []string{"nsenter", "--net=" + ns.Path}, argv)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	return cmd
}

// start runs a program that is measured, until the subject is taken down; gently: it is asked to end, and has some seconds for
// that.
func (p *pair) start(cmd *exec.Cmd, gently bool) error {
	cmd.Args = cmd.Args[len(behind):]
	if cmd.Path, cmd.Err = exec.LookPath(cmd.Args[0]); cmd.Err != nil {
		return cmd.Err
	}
	return p.startBehind(cmd, gently)
}

// startBehind is start for a program that belongs to the load.
func (p *pair) startBehind(cmd *exec.Cmd, gently bool) error {
	if cmd.Stdout == nil {
		cmd.Stdout, cmd.Stderr = &p.said, &p.said
	}
	signal := syscall.SIGKILL
	if gently {
		signal, cmd.WaitDelay, cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM, 10*time.Second, syscall.SIGTERM
		cmd.Cancel = func() error { return cmd.Process.Signal(signal) }
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.pids = append(p.pids, cmd.Process.Pid)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
		p.died.Store(true)
	}()
	p.undo(func() {
		_ = cmd.Process.Signal(signal)
		<-ended
	})
	return nil
}

// do runs a short command line to its end. Words are separated by blanks.
func (p *pair) do(ns tap.Namespace, line string) error {
	cmd := p.command(ns, strings.Fields(line)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// enough is how long most things are waited for.
const enough = 20 * time.Second

// await waits until something is so.
func (p *pair) await(what string, so func() bool) error { return p.awaitFor(enough, what, so) }

func (p *pair) awaitFor(limit time.Duration, what string, so func() bool) error {
	for end := time.Now().Add(limit); !so(); time.Sleep(20 * time.Millisecond) {
		switch {
		case p.ctx.Err() != nil:
			return p.ctx.Err()
		case p.died.Load():
			return fmt.Errorf("%s: a program has ended: %s", what, p.said.String())
		case time.Now().After(end):
			return fmt.Errorf("waited %v in vain: %s\n%s", limit, what, p.said.String())
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

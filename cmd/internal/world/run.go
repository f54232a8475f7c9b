package world

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"uswitch/cmd/internal/lab"
)

// Patience is how long a command may take to end after it was asked to.
const Patience = 5 * time.Second

// wordAfter is how long the end of commands is waited for without a word.
const wordAfter = time.Second

// outputGrace is how long the output of a command that has ended is waited for: somebody outside its process group may
// still hold the other end.
const outputGrace = 500 * time.Millisecond

// Run starts the commands of the hosts, each when what it depends on has got there, and returns when the lab is over: its
// plan does not keep it up and every command of a host that is not passive has ended, or ctx ends. Before it returns,
// every command has been ended. It returns the first status that was not 0 of those that ended by themselves, and whether
// that was all of them. output returns where a host's lines go, which Run closes.
func (w *World) Run(ctx context.Context, output func(host string) io.WriteCloser) (status int, complete bool) {
	r := &run{world: w, output: output, over: make(chan struct{})}
	for _, h := range w.hosts {
		if len(h.Plan.Command) > 0 {
			r.active.Add(1)
			r.launch(h)
		}
	}
	finished := make(chan struct{})
	if !w.plan.KeepUp {
		go func() {
			for _, h := range w.hosts {
				if !h.Plan.Passive {
					<-h.service.ended
				}
			}
			close(finished)
		}()
	}
	select {
	case <-finished:
		complete = true
	case <-ctx.Done():
	}
	r.stopAll()
	return r.status, complete
}

// run is one Run.
type run struct {
	world  *World
	output func(host string) io.WriteCloser
	over   chan struct{} // closed when commands are ended rather than end
	active sync.WaitGroup

	starting sync.Mutex // held while a command is started, so that none starts once over is closed
	mu       sync.Mutex // guards status
	status   int
}

// launch starts a host's command: now if nothing keeps it, so that hosts start in the order of the plan.
func (r *run) launch(h *Host) {
	for _, d := range h.Plan.DependsOn {
		other := &r.world.Host(d.Host).service
		ready := other.started
		if d.Completed {
			ready = other.ended
		}
		select {
		case <-ready:
		default:
			go r.startLater(h)
			return
		}
	}
	r.start(h)
}

// startLater waits for what keeps the command.
func (r *run) startLater(h *Host) {
	for _, d := range h.Plan.DependsOn {
		other := &r.world.Host(d.Host).service
		ready := other.started
		if d.Completed {
			ready = other.ended
		}
		select {
		case <-ready:
		case <-r.over:
		}
	}
	r.start(h)
}

// start runs the command and, in the background, waits for its end.
func (r *run) start(h *Host) {
	r.starting.Lock()
	defer r.starting.Unlock()
	if r.isOver() {
		r.end(h, 0, true)
		return
	}
	if d, status := r.failed(h); status != 0 {
		r.world.report(fmt.Sprintf("%s: not started: %s, which it waits for, ended with status %d", h.Plan.Name, d.Host, status))
		r.end(h, 1, true)
		return
	}
	out := r.output(h.Plan.Name)
	cmd := r.world.Command(h, h.Plan.Command)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, h.Plan.WorkingDir
	cmd.SysProcAttr, cmd.WaitDelay = ownGroup(), outputGrace
	process, err := r.world.host.Start(h.Namespace, cmd)
	if err != nil {
		r.world.report(fmt.Sprintf("%s: %v", h.Plan.Name, err))
		out.Close()
		r.end(h, Status(nil, err), true)
		return
	}
	h.service.runs(process)
	go func() {
		status := process.Wait()
		out.Close()
		r.end(h, status, false)
	}()
}

// failed finds a host whose success h waits for in vain.
func (r *run) failed(h *Host) (lab.Dependency, int) {
	for _, d := range h.Plan.DependsOn {
		if !d.Completed {
			continue
		}
		if _, _, status := r.world.Host(d.Host).Service(); status != 0 {
			return d, status
		}
	}
	return lab.Dependency{}, 0
}

func (r *run) isOver() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

// end enters the end of a host's command, and tells of it unless it was brought about.
func (r *run) end(h *Host, status int, neverRan bool) {
	if !r.isOver() {
		r.mu.Lock()
		if r.status == 0 {
			r.status = status
		}
		r.mu.Unlock()
		if !neverRan {
			r.world.report(fmt.Sprintf("%s: ended with status %d", h.Plan.Name, status))
		}
	}
	h.service.end(status, neverRan)
	r.active.Done()
}

// stopAll ends what still runs, all at once, and waits for it.
func (r *run) stopAll() {
	r.starting.Lock()
	close(r.over)
	r.starting.Unlock()
	late := time.AfterFunc(wordAfter, r.tellLate)
	defer late.Stop()
	for _, h := range r.world.hosts {
		go h.service.stop(Patience)
	}
	r.active.Wait()
}

// tellLate says whom the end waits for.
func (r *run) tellLate() {
	var names []string
	for _, h := range r.world.hosts {
		if state, _, _ := h.Service(); state == Running {
			names = append(names, h.Plan.Name)
		}
	}
	if len(names) > 0 {
		r.world.report(fmt.Sprintf("waiting for the command of %s to end; %v after it was asked to, it is made to", strings.Join(names, ", "), Patience))
	}
}

// Command returns a command that is to run in a host, with the host's environment; it is not started.
func (w *World) Command(h *Host, argv []string) *exec.Cmd {
	argv = Program(argv)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = Environment(w.plan.Name, h.Plan.Name, h.Plan.Environment)
	return cmd
}

// Environment returns what a program in a host finds in its environment: this process's, what the lab file adds, and
// where it is, so that the uswitch command acts on this lab.
func Environment(labName, host string, added []string) []string {
	return append(append(os.Environ(), added...), "USWITCH_LAB="+labName, "USWITCH_HOST="+host)
}

// Line returns a command as a person would type it.
func Line(argv []string) string { return strings.Join(argv, " ") }

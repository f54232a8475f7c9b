package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/tap"
)

// Patience is how long a command may take to end after it was asked to.
const Patience = 5 * time.Second

// outputGrace is how long the output of a command that has ended is waited for: somebody outside its process group may
// still hold the other end.
const outputGrace = 500 * time.Millisecond

// StartHost starts the command of a host that does not run: for the first time, or again after it has ended. It does not wait
// for what the command depends on.
func (w *World) StartHost(name string) error {
	h, end, err := w.beginOn(context.Background(), name)
	if err != nil {
		return err
	}
	defer end()
	return w.startAgain(h)
}

// startAgain is StartHost for a host that is there. It needs a change that has begun.
func (w *World) startAgain(h *Host) error {
	switch state, pid, _ := h.Service(); state {
	case NoCommand:
		return fmt.Errorf("host %s has no command", h.Plan.Name)
	case Running:
		return fmt.Errorf("the command of host %s runs already, as process %d", h.Plan.Name, pid)
	}
	return hostError(h, w.start(w.renew(h)))
}

// renew gives a host a service that has not begun yet.
func (w *World) renew(h *Host) *Host {
	h.service.end(0) // one that waits, waits no more
	now := *h
	now.service = newService(len(h.Plan.Command) > 0)
	w.replaceHost(h, &now)
	return &now
}

// StopHost asks a host's command, and what it has started, to end, and after patience makes it. It returns the status with
// which it has ended, now or before; one that has not started yet will not.
func (w *World) StopHost(name string, patience time.Duration) (status int, err error) {
	h, err := w.findHost(name)
	if err != nil {
		return 0, err
	}
	if state, _, _ := h.Service(); state == NoCommand {
		return 0, fmt.Errorf("host %s has no command", name)
	}
	return h.service.stop(patience), nil
}

// RestartHost is StopHost and StartHost in one change: a lab that ends with its commands does not take this for the end.
func (w *World) RestartHost(name string, patience time.Duration) error {
	h, end, err := w.beginOn(context.Background(), name)
	if err != nil {
		return err
	}
	defer end()
	w.stop(h, patience)
	return w.startAgain(h)
}

// start runs the command of a host's service, and waits for its end in the background.
func (w *World) start(h *Host) error {
	return h.service.start(func() (tap.Process, error) {
		rights, _, err := RightsOf(h.Plan.Rights)
		if err != nil {
			return nil, err
		}
		cmd := w.Command(h, h.Plan.Command)
		cmd.Dir, cmd.SysProcAttr, cmd.WaitDelay = h.Plan.WorkingDir, tap.OwnGroup(), outputGrace
		out := w.outputOf(h.Plan.Name)
		cmd.Stdout, cmd.Stderr = out, out
		process, err := w.host.StartAs(h.Namespace, cmd, rights)
		if err != nil {
			out.Close()
			return nil, err
		}
		w.clock.Go(func() { w.await(h, process, out) })
		return process, nil
	})
}

// await waits for the end of a command, and tells of it unless it was brought about.
func (w *World) await(h *Host, process tap.Process, out io.Closer) {
	w.clock.Await(process.Ended())
	status := process.Wait()
	out.Close()
	if !h.service.wasTold() {
		w.enterStatus(status)
		w.report(fmt.Sprintf("%s: ended with status %d", h.Plan.Name, status))
	}
	h.service.end(status)
	w.stir()
}

// outputOf returns where a host's command writes: to the person, and into the log.
func (w *World) outputOf(host string) io.WriteCloser {
	return &output{person: w.output(host), log: Lines(func(lines []string) { w.log.add(host, lines) })}
}

type output struct{ person, log io.WriteCloser }

// Write implements io.Writer. What the person cannot read any more is no fault of the command's.
func (o *output) Write(b []byte) (int, error) {
	_, _ = o.person.Write(b)
	return o.log.Write(b)
}

// Close implements io.Closer.
func (o *output) Close() error { return errors.Join(o.person.Close(), o.log.Close()) }

// Command returns a command that is to run in a host, with the host's environment; it is not started.
func (w *World) Command(h *Host, argv []string) *exec.Cmd {
	argv = Program(argv)
	cmd := exec.Command(argv[0], argv[1:]...)
	_, home, _ := RightsOf(h.Plan.Rights) // who cannot be found is told of when the command starts
	cmd.Env = Environment(w.Plan().Name, h.Plan, home, h.Plan.Environment)
	return cmd
}

// Environment returns what a host's own program finds in its environment, with what is added to it: nothing else of this
// process's than where programs are, the terminal and the language. USWITCH_LAB and USWITCH_HOST let the uswitch command act
// on this lab. home is empty for that of this process's user.
func Environment(labName string, h *plan.Host, home string, added []string) []string {
	env := []string{"PATH=" + cmp.Or(os.Getenv("PATH"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
		"HOME=" + cmp.Or(home, os.Getenv("HOME"), "/")}
	for _, name := range []string{"TERM", "LANG"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	env = append(append(env, "HOSTNAME="+h.Hostname), added...)
	return append(env, Here(labName, h.Name)...)
}

// Here says in a program's environment which lab and which host it is in.
func Here(labName, host string) []string {
	return []string{"USWITCH_LAB=" + labName, "USWITCH_HOST=" + host}
}

// launch starts a host's command if it has one: now if nothing keeps it, so that hosts start in the order of the plan, else
// when what it depends on has got there. It needs a change that has begun.
func (w *World) launch(h *Host) {
	if state, _, _ := h.Service(); state != Waiting {
		return
	}
	keeps := w.dependencies(h)
	if !slices.ContainsFunc(keeps, func(d dependency) bool { return !d.isReady() }) {
		w.startOr(h, keeps)
		return
	}
	w.clock.Go(func() {
		for _, d := range keeps {
			w.clock.Await(d.ready(), h.service.ended) // told to end before it began
		}
		w.startOr(h, keeps)
	})
}

// dependency is a command that another one waits for.
type dependency struct {
	plan.Dependency
	on *Host
}

// ready is closed when the other command has got where it must.
func (d dependency) ready() <-chan struct{} {
	if d.Completed {
		return d.on.service.ended
	}
	return d.on.service.started
}

func (d dependency) isReady() bool {
	select {
	case <-d.ready():
		return true
	default:
		return false
	}
}

// dependencies returns what a host waits for, as far as it is there.
func (w *World) dependencies(h *Host) (all []dependency) {
	for _, d := range h.Plan.DependsOn {
		if other := w.Host(d.Host); other != nil {
			all = append(all, dependency{d, other})
		}
	}
	return all
}

// startOr starts a command, unless what it waits for has failed, and reports what keeps it from starting.
func (w *World) startOr(h *Host, keeps []dependency) {
	for _, d := range keeps {
		_, _, status := d.on.Service()
		if state, _, _ := h.Service(); !d.Completed || status == 0 || state != Waiting {
			continue
		}
		w.report(fmt.Sprintf("%s: not started: %s, which it waits for, ended with status %d", h.Plan.Name, d.Host, status))
		w.enterStatus(1)
		h.service.end(1)
		w.stir()
		return
	}
	if err := w.start(h); err != nil {
		w.report(fmt.Sprintf("%s: %v", h.Plan.Name, err))
		w.enterStatus(Status(nil, err))
		w.stir()
	}
}

// Inside is a program that somebody runs in a host, beside the host's own command.
type Inside struct {
	Host        string
	Args        []string // the program and its arguments
	Environment []string // KEY=value, on top of the host's
	Dir         string   // empty: this process's
	Stdin       io.Reader
	Stdout      io.Writer
	Stderr      io.Writer
}

// Exec starts a program in a host. Nobody but the caller waits for it, and nobody ends it before the host goes.
func (w *World) Exec(in Inside) (tap.Process, error) {
	h, err := w.findHost(in.Host)
	if err != nil {
		return nil, err
	}
	cmd := w.Command(h, in.Args)
	cmd.Env = append(cmd.Env, in.Environment...)
	cmd.Dir, cmd.SysProcAttr, cmd.WaitDelay = in.Dir, tap.OwnGroup(), outputGrace
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in.Stdin, in.Stdout, in.Stderr
	process, err := w.host.Start(h.Namespace, cmd)
	return process, hostError(h, err)
}

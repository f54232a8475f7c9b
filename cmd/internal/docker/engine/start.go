package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"syscall"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
)

// ErrStarted is returned for a container that runs already.
var ErrStarted = &Error{http.StatusNotModified, "container already started"}

// Start starts a container: its host in the lab, its ports, its command. Of one that cannot be started nothing is left but
// the container itself, as it was.
func (e *Engine) Start(reference string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	if err != nil {
		return err
	}
	switch {
	case c.state.Running:
		return ErrStarted
	case e.closed:
		return conflict("the lab is about to end")
	}
	if c.service != "" {
		err := e.lab.StartHost(c.service)
		if err == nil {
			e.tellOf(c, "start")
		}
		return err
	}
	h, err := e.hostOf(c)
	if err == nil {
		err = e.checkPorts(c, h.Ports)
	}
	if err == nil {
		err = e.lab.AddHost(h)
	}
	if err != nil {
		return e.startFailed(c, fmt.Errorf("failed to set up container networking: %w", err))
	}
	e.tellPlaces(c, "connect")
	if err := e.startCommand(c); err != nil {
		_ = e.lab.RemoveHost(c.name) // the first error is the one to tell
		e.tellPlaces(c, "disconnect")
		return e.startFailed(c, err)
	}
	return nil
}

// startFailed enters why a container does not run. It needs the lock.
func (e *Engine) startFailed(c *container, err error) error {
	c.state.ExitCode = 128
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		c.state.ExitCode = 127
	} else if errors.Is(err, fs.ErrPermission) {
		c.state.ExitCode = 126
	}
	c.state.Error = err.Error()
	for _, a := range c.waiting {
		a.finish()
	}
	c.waiting = nil
	if c.hostConfig.AutoRemove {
		e.forget(c)
	}
	var own *Error
	if errors.As(err, &own) {
		return failed("%w", err)
	}
	if c.state.ExitCode != 128 {
		// What docker run looks for in the message to end with the status of a shell (docker cli, toStatusError).
		return invalid("failed to create task for container: unable to start container process: %v", err)
	}
	return failed("%w", err)
}

// startCommand starts a container's command in the host that is there for it. It needs the lock.
func (e *Engine) startCommand(c *container) error {
	rights, home, err := world.RightsOf(c.rights())
	if err != nil {
		return err
	}
	argv := world.Program(e.words(c, c.argv))
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = world.Environment(e.lab.Plan().Name, &plan.Host{Name: c.name, Hostname: c.config.Hostname}, home, environment(c, c.config.Tty))
	cmd.Dir, cmd.WaitDelay = c.config.WorkingDir, outputGrace
	if cmd.Dir == "" {
		cmd.Dir = "/"
	}
	console, begun, err := newConsole(cmd, c.journal, c.config.Tty, c.config.OpenStdin)
	if err != nil {
		return err
	}
	defer begun()
	c.journal.open()
	// Who is attached is there before the command, whose first words may be its last.
	for _, a := range c.waiting {
		console.join(a, c.config.StdinOnce)
	}
	c.waiting = nil
	process, err := e.lab.Start(c.name, cmd, rights, console.watched())
	if err != nil {
		console.close()
		return commandError(c.argv[0], err)
	}
	c.console, c.process, c.ended = console, process, make(chan struct{})
	c.state = types.State{Status: running, Running: true, Pid: process.PID(), StartedAt: e.now()}
	e.tellOf(c, "start")
	go e.wait(c)
	return nil
}

// commandError says of a program that could not be started what Docker's runtime says.
func commandError(program string, err error) error {
	reason := err.Error()
	var number syscall.Errno
	switch {
	case errors.Is(err, exec.ErrNotFound):
		reason = "executable file not found in $PATH"
	case errors.As(err, &number):
		reason = number.Error()
	}
	return &programError{fmt.Sprintf("exec: %q: %s", program, reason), err}
}

// programError is why a program could not be started, in other words than its cause has.
type programError struct {
	text  string
	cause error
}

func (e *programError) Error() string { return e.text }
func (e *programError) Unwrap() error { return e.cause }

// environment is what a program of a container finds besides what every host has.
func environment(c *container, terminal bool) (all []string) {
	if terminal {
		all = append(all, "TERM=xterm")
	}
	return append(all, c.config.Env...)
}

// wait waits for the end of a container's command, and unmakes what Start has made.
func (e *Engine) wait(c *container) {
	result := c.console.wait(c.process)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.lab.RemoveHost(c.name); err != nil {
		c.state.Error = err.Error()
	}
	c.state = types.State{Status: exited, ExitCode: result, Error: c.state.Error,
		StartedAt: c.state.StartedAt, FinishedAt: e.now()}
	e.tellOf(c, "die", "exitCode", strconv.Itoa(result))
	e.tellPlaces(c, "disconnect")
	c.console.close()
	c.console, c.process = nil, nil
	e.execs = slices.DeleteFunc(e.execs, func(x *execution) bool { return x.container == c })
	if c.hostConfig.AutoRemove {
		e.forget(c)
	}
	close(c.ended)
	for _, waiting := range c.next {
		close(waiting)
	}
	c.next = nil
}

package engine

import (
	"cmp"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"uswitch/cmd/internal/docker/image"
	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
)

// maxExecs bounds how many programs are remembered that were run beside a container's own, of all containers together: those
// that do not run are forgotten, the oldest first.
const maxExecs = 1024

// execution is a program beside a container's own.
type execution struct {
	id        string
	container *container
	config    types.ExecConfig
	console   *console // once it was started
	status    *int     // once it has ended
	pid       int
}

// words are those of a command as it is run in a container. Programs in memory are of one kind.
func (e *Engine) words(c *container, argv []string) []string {
	if e.lab.Simulated() {
		return image.Program(argv)
	}
	return image.In(c.config.Image, argv)
}

// Exec notes a program that is to run in a container, and returns its id.
func (e *Engine) Exec(reference string, config types.ExecConfig) (*types.ExecCreateResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	switch {
	case err != nil:
		return nil, err
	case !c.state.Running:
		return nil, conflict("container %s is not running", c.id)
	case len(config.Cmd) == 0:
		return nil, invalid("no exec command specified")
	}
	if len(e.execs) >= maxExecs {
		i := slices.IndexFunc(e.execs, func(x *execution) bool { return x.status != nil || x.console == nil })
		if i < 0 {
			return nil, conflict("%d programs run beside the commands of containers, and that is as many as there can be", maxExecs)
		}
		e.execs = slices.Delete(e.execs, i, i+1)
	}
	x := &execution{id: e.newID(), container: c, config: config}
	e.execs = append(e.execs, x)
	e.tellOf(c, "exec_create: "+strings.Join(config.Cmd, " "), "execID", x.id)
	return &types.ExecCreateResponse{ID: x.id}, nil
}

// execution finds one. It needs the lock.
func (e *Engine) execution(id string) (*execution, error) {
	for _, x := range e.execs {
		if x.id == id {
			return x, nil
		}
	}
	return nil, notFound("No such exec instance: %s", id)
}

// startExec starts the program; in is what it reads if it was to be given anything, and to where it writes.
func (e *Engine) startExec(id string, in io.Reader, to func(terminal bool) func(stream) io.Writer) (*attachment, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x, err := e.execution(id)
	switch {
	case err != nil:
		return nil, err
	case x.console != nil:
		return nil, conflict("Error: Exec command %s has already run", id)
	}
	rights, home, err := world.RightsOf(ExecRights(x.container.rights(), &x.config))
	if err != nil {
		return nil, invalid("%v", err)
	}
	argv := world.Program(e.words(x.container, x.config.Cmd))
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = world.Environment(e.lab.Plan().Name, &plan.Host{Name: x.container.host(), Hostname: x.container.config.Hostname}, home,
		append(environment(x.container, x.config.Tty), x.config.Env...))
	cmd.Dir, cmd.WaitDelay = cmp.Or(x.config.WorkingDir, x.container.config.WorkingDir, "/"), outputGrace
	console, begun, err := newConsole(cmd, newJournal(e.now), x.config.Tty, x.config.AttachStdin)
	if err != nil {
		return nil, failed("%w", err)
	}
	defer begun()
	if !x.config.AttachStdin {
		in = nil
	}
	a := attach(in, to(x.config.Tty))
	console.join(a, true)
	process, err := e.lab.Start(x.container.host(), cmd, rights, true)
	if err != nil {
		console.close()
		return nil, invalid("OCI runtime exec failed: exec failed: unable to start container process: %v", commandError(x.config.Cmd[0], err))
	}
	x.console, x.pid = console, process.PID()
	e.tellOf(x.container, "exec_start: "+strings.Join(x.config.Cmd, " "), "execID", x.id)
	go func() {
		status := console.wait(process)
		e.mu.Lock()
		defer e.mu.Unlock()
		x.status, x.pid = &status, 0
		e.tellOf(x.container, "exec_die", "execID", x.id, "exitCode", strconv.Itoa(status))
		console.close()
	}()
	return a, nil
}

// InspectExec says how the program is doing.
func (e *Engine) InspectExec(id string) (*types.ExecInspect, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	x, err := e.execution(id)
	if err != nil {
		return nil, err
	}
	return &types.ExecInspect{ID: id, ContainerID: x.container.id, Running: x.console != nil && x.status == nil, ExitCode: x.status, Pid: x.pid}, nil
}

// ResizeExec tells the program how large its terminal is.
func (e *Engine) ResizeExec(id string, rows, columns uint16) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	x, err := e.execution(id)
	if err != nil || x.console == nil || x.status != nil {
		return err // who has no terminal does not care
	}
	return x.console.resize(rows, columns)
}

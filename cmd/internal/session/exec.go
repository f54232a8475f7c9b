package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/docker/image"
	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/rootless"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/world"
	"uswitch/tap"
)

// Exec runs a program inside a host of a lab that is up, with this process's input and output, and returns its status. A
// Ctrl-C is the program's alone. A real host is entered by this process; on a simulated one the lab runs the program.
func Exec(ctx context.Context, c *api.Client, host string, argv []string, environment ...string) (status int, err error) {
	return ExecWith(ctx, c, host, argv, ExecOptions{Environment: environment, Input: os.Stdin})
}

// ExecOptions are what a program inside a host can be given.
type ExecOptions struct {
	Environment []string   // NAME=value, on top of the host's
	Alone       bool       // Environment is all of it; otherwise this process's and the host's come before it
	Rights      tap.Rights // what it may do on a real host
	Dir         string     // where it runs; empty: here
	Input       *os.File   // nil: nothing to read
	Output      io.Writer  // nil: this process's
}

// ExecWith is Exec with all options.
func ExecWith(ctx context.Context, c *api.Client, host string, argv []string, o ExecOptions) (status int, err error) {
	h, err := findHost(ctx, c, host)
	if err != nil {
		return 1, err
	}
	var lab api.Lab
	if err := c.Get(ctx, "/v1/lab", nil, &lab); err != nil {
		return 1, err
	}
	if lab.Simulated {
		return execInside(ctx, c, host, argv, o)
	}
	if err := rootless.Enter(lab.PID); err != nil {
		return 1, err
	}
	dir, err := api.Directory()
	if err != nil {
		return 1, err
	}
	t, err := newRealHost(dir)
	if err != nil {
		return 1, err
	}
	defer t.Close()
	argv = world.Program(argv)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = os.Stdout, os.Stderr, o.Dir
	if o.Output != nil {
		cmd.Stdout = o.Output
	}
	if o.Input != nil {
		cmd.Stdin = o.Input
	}
	cmd.Env = o.Environment
	if !o.Alone {
		cmd.Env = slices.Concat(os.Environ(), h.Environment, world.Here(c.Lab(), host), o.Environment)
	}
	if o.Rights.Capabilities == nil && !o.Alone {
		o.Rights.Capabilities, o.Rights.Usual = h.Capabilities, true
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGQUIT)
	defer signal.Reset(syscall.SIGINT, syscall.SIGQUIT)
	process, err := t.StartAs(reachable(h.Namespace, lab.PID), cmd, o.Rights)
	if err != nil {
		return world.Status(nil, err), fmt.Errorf("%s: %w", host, err)
	}
	return process.Wait(), nil
}

// ExecInContainer is Exec with what the host's container is configured with, in place of what is here.
func ExecInContainer(ctx context.Context, c *api.Client, host string, container *types.Container, x *types.ExecConfig, in *os.File) (status int, err error) {
	o := ExecOptions{Alone: true, Dir: cmp.Or(x.WorkingDir, container.Config.WorkingDir, "/"), Input: in}
	rights := engine.ExecRights(engine.Rights(&container.Config, &container.HostConfig), x)
	var home string
	if o.Rights, home, err = world.RightsOf(rights); err != nil {
		return 1, err
	}
	o.Environment = world.Environment(c.Lab(), &plan.Host{Name: host, Hostname: container.Config.Hostname}, home,
		slices.Concat(container.Config.Env, x.Env))
	argv := image.Program(x.Cmd)
	if simulated, err := isSimulated(ctx, c); err == nil && !simulated {
		argv = image.In(container.Config.Image, x.Cmd)
	}
	return ExecWith(ctx, c, host, argv, o)
}

// reachable returns the namespace of a host by a path that leads there from here too: the lab's process may have mounts of its
// own, as under "ip netns exec" or systemd's PrivateMounts.
func reachable(ns api.Namespace, lab int) tap.Namespace {
	there := tap.Namespace{Name: ns.Name, Path: ns.Path, Lab: ns.Lab, ID: tap.ID(ns.ID)}
	if leadsTo(there.Path, there.ID) {
		return there
	}
	if theirs := fmt.Sprintf("/proc/%d/root%s", lab, ns.Path); leadsTo(theirs, there.ID) {
		there.Path = theirs
	}
	return there
}

func leadsTo(path string, id tap.ID) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Ino == id.Inode
}

func isSimulated(ctx context.Context, c *api.Client) (bool, error) {
	var lab api.Lab
	err := c.Get(ctx, "/v1/lab", nil, &lab)
	return lab.Simulated, err
}

func findHost(ctx context.Context, c *api.Client, name string) (*api.Host, error) {
	var hosts []api.Host
	if err := c.Get(ctx, "/v1/hosts", nil, &hosts); err != nil {
		return nil, err
	}
	var names []string
	for i := range hosts {
		if hosts[i].Name == name {
			return &hosts[i], nil
		}
		names = append(names, hosts[i].Name)
	}
	return nil, fmt.Errorf("host %q: there is no such host in lab %s; there are %s", name, c.Lab(), cmp.Or(strings.Join(names, ", "), "none"))
}

// Shell runs a shell inside a host: the person's own, whose prompt begins with the host's name if it is bash or sh.
func Shell(ctx context.Context, c *api.Client, host string) (status int, err error) {
	if simulated, err := isSimulated(ctx, c); err != nil {
		return 1, err
	} else if simulated {
		return Exec(ctx, c, host, []string{"sh"})
	}
	shell := os.Getenv("SHELL")
	if shell == "" {
		shell = "/bin/sh"
	}
	prompt := "PS1=[" + host + "] \\$ "
	if filepath.Base(shell) == "bash" {
		// bash's own start-up files set PS1, so that it is changed again before each prompt.
		prompt = fmt.Sprintf(`PROMPT_COMMAND=PS1="[%s] ${PS1#\[%s\] }"`, host, host)
	}
	return Exec(ctx, c, host, []string{shell}, prompt)
}

// runCommand runs the person's command on this machine, with the terminal's input and output, and returns its status.
// What ends ctx is passed on to it; a Ctrl-C at the terminal has reached it already.
func runCommand(ctx context.Context, lab string, argv []string, stdout, stderr *os.File) (status int, err error) {
	argv = world.Program(argv)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	cmd.ExtraFiles = inherited
	cmd.Env = append(os.Environ(), "USWITCH_LAB="+lab)
	if err := tap.Startable(cmd); err != nil {
		return world.Status(nil, err), err
	}
	if err := tap.StartBehind(cmd); err != nil {
		return world.Status(nil, err), fmt.Errorf("start %s: %w", argv[0], err)
	}
	ended := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			var s signalError
			if !errors.As(context.Cause(ctx), &s) {
				s.signal = syscall.SIGTERM
			}
			if s.signal != syscall.SIGINT || !view.IsTerminal(os.Stdin) {
				_ = cmd.Process.Signal(s.signal)
			}
		case <-ended:
		}
	}()
	err = cmd.Wait()
	close(ended)
	return world.Status(cmd.ProcessState, err), nil
}

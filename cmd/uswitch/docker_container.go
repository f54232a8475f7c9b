package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/session"
)

func newDockerStart() *cobra.Command {
	return onDocker(&cobra.Command{
		Use:     "start CONTAINER ...",
		Short:   "Start containers that were created, or have ended",
		Example: "  uswitch docker start web",
		Args:    usage(cobra.MinimumNArgs(1)),

		ValidArgsFunction: completeContainers,
	}, func(ctx context.Context, d *client.Client, args []string) error {
		return forEach(args, func(name string) error { return d.Start(ctx, name) })
	})
}

func newDockerStop() *cobra.Command {
	c := &cobra.Command{
		Use:     "stop [flags] CONTAINER ...",
		Short:   "End containers: SIGTERM, and after ten seconds SIGKILL",
		Example: "  uswitch docker stop -t 2 web",
		Args:    usage(cobra.MinimumNArgs(1)),

		ValidArgsFunction: completeContainers,
	}
	patience := c.Flags().IntP("timeout", "t", -1, "make them end after `SECONDS`; 10 if nothing is said")
	c.Flags().IntVar(patience, "time", -1, "the same")
	_ = c.Flags().MarkHidden("time")
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		return forEach(args, func(name string) error { return d.Stop(ctx, name, *patience) })
	})
}

func newDockerRm() *cobra.Command {
	c := &cobra.Command{
		Use:     "rm [flags] CONTAINER ...",
		Aliases: []string{"remove"},
		Short:   "Remove containers",
		Example: "  uswitch docker rm -f web",
		Args:    usage(cobra.MinimumNArgs(1)),

		ValidArgsFunction: completeContainers,
	}
	force := c.Flags().BoolP("force", "f", false, "also those that run: they are killed")
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		return forEach(args, func(name string) error {
			err := d.Remove(ctx, name, *force)
			if *force && client.NotFound(err) {
				fmt.Fprintln(os.Stderr, err)
				return nil
			}
			return err
		})
	})
}

func newDockerPort() *cobra.Command {
	return onDocker(&cobra.Command{
		Use:     "port CONTAINER [PORT[/udp]]",
		Short:   "Say where a container's ports are open",
		Example: "  uswitch docker port web",
		Args:    usage(cobra.RangeArgs(1, 2)),

		ValidArgsFunction: completeContainers,
	}, func(ctx context.Context, d *client.Client, args []string) error {
		container, err := d.Container(ctx, args[0])
		if err != nil {
			return err
		}
		only := ""
		if len(args) == 2 {
			if only = args[1]; !strings.Contains(only, "/") {
				only += "/tcp"
			}
			if len(container.NetworkSettings.Ports[only]) == 0 {
				fmt.Fprintf(os.Stderr, "no public port '%s' published for %s\n", only, args[0])
				return exit(1)
			}
		}
		return client.DockerPort(os.Stdout, container.NetworkSettings.Ports, only)
	})
}

func newDockerLogs() *cobra.Command {
	c := &cobra.Command{
		Use:     "logs [flags] CONTAINER",
		Short:   "Show what a container has written",
		Example: "  uswitch docker logs -f web",
		Args:    usage(cobra.ExactArgs(1)),

		ValidArgsFunction: completeContainers,
	}
	f := c.Flags()
	follow := f.BoolP("follow", "f", false, "and what it writes from now on")
	tail := f.StringP("tail", "n", "all", "only the last `LINES`")
	stamps := f.BoolP("timestamps", "t", false, "with the time of each line")
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		container, err := d.Container(ctx, args[0])
		if err != nil {
			return err
		}
		q := url.Values{"stdout": {"1"}, "stderr": {"1"}, "tail": {*tail}, "follow": {strconv.FormatBool(*follow)},
			"timestamps": {strconv.FormatBool(*stamps)}}
		return d.Logs(ctx, args[0], q, func(r io.Reader) error {
			if container.Config.Tty {
				_, err := io.Copy(os.Stdout, r)
				return err
			}
			return types.Demultiplex(r, os.Stdout, os.Stderr)
		})
	})
}

func newDockerExec() *cobra.Command {
	c := &cobra.Command{
		Use:     "exec [flags] CONTAINER PROGRAM [ARGUMENT ...]",
		Short:   "Run a program in a container that runs",
		Long:    "Runs a program of this machine in a container's network namespace, with its environment and its rights, and exits with\nits status.",
		Example: "  uswitch docker exec -it web ip addr",
		Args:    usage(cobra.MinimumNArgs(2)),

		ValidArgsFunction: completeContainers,
	}
	x, how := execFlags(c)
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		x.Cmd = args[1:]
		return execIn(ctx, d, args[0], x, how)
	})
}

// execHow is how a program is run beside a container's own.
type execHow struct{ input, detach bool }

// execFlags are those of docker exec and docker compose exec.
func execFlags(c *cobra.Command) (*types.ExecConfig, *execHow) {
	x, how := &types.ExecConfig{}, &execHow{}
	f := c.Flags()
	f.SetInterspersed(false)
	f.BoolVarP(&how.input, "interactive", "i", false, "give it what is typed")
	f.BoolP("tty", "t", false, "on this terminal, where it is anyway")
	f.BoolP("no-tty", "T", false, "the same")
	_ = f.MarkHidden("no-tty")
	f.StringArrayVarP(&x.Env, "env", "e", nil, "set `NAME=VALUE` for it")
	f.StringVarP(&x.WorkingDir, "workdir", "w", "", "run it in `DIRECTORY`; the container's if nothing is said")
	f.BoolVarP(&how.detach, "detach", "d", false, "leave it in the background")
	f.StringVarP(&x.User, "user", "u", "", "run it as `USER[:GROUP]` of this machine; the container's if nothing is said")
	f.BoolVar(&x.Privileged, "privileged", false, "leave it all capabilities, whatever is taken from the container")
	return x, how
}

// execIn runs a program in a container, and exits with its status.
func execIn(ctx context.Context, d *client.Client, reference string, x *types.ExecConfig, how *execHow) error {
	container, err := d.Container(ctx, reference)
	if err != nil {
		return err
	}
	if !container.State.Running {
		fmt.Fprintf(os.Stderr, "Error response from daemon: container %s is not running\n", container.ID)
		return exit(1)
	}
	if how.detach {
		return d.ExecDetached(ctx, container.ID, *x)
	}
	host, err := d.Host(ctx, container)
	if err != nil {
		return err
	}
	var in *os.File
	if how.input {
		in = os.Stdin
	}
	status, err := session.ExecInContainer(ctx, d.Lab(), host, container, x, in)
	return failed(status, err)
}

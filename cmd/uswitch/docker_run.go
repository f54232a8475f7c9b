package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/tools/view"
)

const dockerImages = `
No image is used. A command that is given is a program of this machine. Without one, what runs depends on the name:
  nginx, httpd, caddy, whoami    uswitch's own small web server (uswitch serve), on the port that the image has
  busybox, alpine                sh; all programs there are those of this machine's busybox, if it has one
  ubuntu, debian, netshoot, ...  bash
  redis, postgres, mysql, ...    the server of that name, if this machine has it
  any other                      the program of that name, if this machine has it`

func newDockerRun() *cobra.Command {
	c := &cobra.Command{
		Use:     "run [flags] IMAGE [COMMAND] [ARGUMENT ...]",
		Short:   "Create and start a container",
		Long:    "Creates a container and starts it: the command in a network namespace of its own, on one of the lab's networks.\n" + dockerImages,
		Example: "  uswitch docker run --rm alpine ip addr",
		Args:    usage(cobra.MinimumNArgs(1)),
	}
	o := containerFlags(c)
	c.Flags().BoolVarP(&o.Detach, "detach", "d", false, "leave it in the background, and print its id")
	c.PreRunE = func(*cobra.Command, []string) error {
		if o.Interactive && o.TTY && !o.Detach && !view.IsTerminal(os.Stdin) {
			fmt.Fprintln(os.Stderr, "the input device is not a TTY") // in Docker's words, before anything is made
			return exit(1)
		}
		return nil
	}
	return beginDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		r, id, err := newContainer(ctx, c, d, o, args)
		if err != nil {
			return runFailed(125, err)
		}
		var status int
		if o.Detach {
			err = d.StartDetached(ctx, id)
		} else {
			status, err = d.Run(ctx, id, r, client.Terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
		}
		var failed *client.StartError
		switch {
		case errors.As(err, &failed):
			return runFailed(failed.Status, err)
		case err != nil:
			return runFailed(125, err)
		}
		if o.Detach {
			fmt.Println(id)
		}
		return exit(status)
	})
}

// runFailed says why there is no container as docker run does.
func runFailed(status int, err error) error {
	fmt.Fprintf(os.Stderr, "docker: %v\n\nRun 'uswitch docker run --help' for more information\n", err)
	return exit(status)
}

func newDockerCreate() *cobra.Command {
	c := &cobra.Command{
		Use:     "create [flags] IMAGE [COMMAND] [ARGUMENT ...]",
		Short:   "Create a container without starting it",
		Long:    "Creates a container and prints its id. uswitch docker start starts it.\n" + dockerImages,
		Example: "  uswitch docker create --name web -p 8080:80 nginx",
		Args:    usage(cobra.MinimumNArgs(1)),
	}
	o := containerFlags(c)
	return beginDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		_, id, err := newContainer(ctx, c, d, o, args)
		if err == nil {
			fmt.Println(id)
		}
		return err
	})
}

// newContainer makes a container as the flags say, tells of those that nobody acts on, and of what the lab warns of.
func newContainer(ctx context.Context, c *cobra.Command, d *client.Client, o *client.Options, args []string) (r types.CreateRequest, id string, err error) {
	if r, err = o.Request(args[0], args[1:], os.LookupEnv); err != nil {
		return r, "", err
	}
	if names := idleFlags(c); len(names) > 0 {
		fmt.Fprintf(os.Stderr, "uswitch: not acted on: %s\n", strings.Join(names, ", "))
	}
	made, err := d.Create(ctx, o.Name, r)
	for _, line := range made.Warnings {
		fmt.Fprintln(os.Stderr, "uswitch:", line)
	}
	return r, made.ID, err
}

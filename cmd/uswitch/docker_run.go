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
		r, err := newContainer(c, o, args)
		if err != nil {
			return runFailed(125, err)
		}
		made, err := d.Create(ctx, o.Name, r)
		if err != nil {
			return runFailed(125, err)
		}
		for _, line := range made.Warnings {
			fmt.Fprintln(os.Stderr, "uswitch:", line)
		}
		var status int
		if o.Detach {
			err = d.StartDetached(ctx, made.ID)
		} else {
			status, err = d.Run(ctx, made.ID, r, client.Terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
		}
		var failed *client.StartError
		switch {
		case errors.As(err, &failed):
			return runFailed(failed.Status, err)
		case err != nil:
			return runFailed(125, err)
		}
		if o.Detach {
			fmt.Println(made.ID)
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
		r, err := newContainer(c, o, args)
		if err != nil {
			return err
		}
		made, err := d.Create(ctx, o.Name, r)
		if err != nil {
			return err
		}
		for _, line := range made.Warnings {
			fmt.Fprintln(os.Stderr, "uswitch:", line)
		}
		fmt.Println(made.ID)
		return nil
	})
}

// newContainer reads the flags, and tells of those that nobody acts on.
func newContainer(c *cobra.Command, o *client.Options, args []string) (types.CreateRequest, error) {
	r, err := o.Request(args[0], args[1:], os.LookupEnv)
	if err == nil {
		if names := idleFlags(c); len(names) > 0 {
			fmt.Fprintf(os.Stderr, "uswitch: not acted on: %s\n", strings.Join(names, ", "))
		}
	}
	return r, err
}

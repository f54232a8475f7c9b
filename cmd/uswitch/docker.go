package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
)

func newDocker() *cobra.Command {
	c := &cobra.Command{
		Use:   "docker",
		Short: "Containers and networks, as docker has them",
		Long: `What a tutorial types about containers and networks works with uswitch in front. A container is a network namespace
with a cable to one of the lab's switches; no image is used, so that its command is a program of this machine on
this machine's own files, and uswitch docker run says which.

It acts on the lab called host, or on the one that is up, or on the one that --lab or USWITCH_LAB names. Where none is
up, the first container or network begins lab host in the background: a machine with docker0, an internet in memory,
published ports on this machine, the rules that Docker makes. The services of a lab's file are containers too.`,
		Example: "  uswitch docker run -d --name web -p 8080:80 nginx",
		GroupID: groupHost,
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	dockerLabFlag(c)
	c.AddCommand(containerCommands()...)
	c.AddCommand(newDockerPs("ps"), newDockerInspect(), newDockerNetwork(), newDockerContainer(), newDockerInfo(), newDockerImages(), newDockerEvents(), newDockerCompose("compose"))
	return c
}

// dockerLabFlag says which lab is meant.
func dockerLabFlag(c *cobra.Command) {
	c.PersistentFlags().String("lab", "", "act on lab `NAME`; needed only if several are up (or set USWITCH_LAB)")
	_ = c.RegisterFlagCompletionFunc("lab", completeLabs)
}

// newDockerContainer has the same commands behind the word that docker has for them, too.
func newDockerContainer() *cobra.Command {
	c := &cobra.Command{
		Use:     "container",
		Short:   "The commands for containers, under their long names",
		Example: "  uswitch docker container ls",
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	list := newDockerPs("ls")
	list.Aliases = []string{"list", "ps"}
	c.AddCommand(append(containerCommands(), list, newDockerContainerInspect())...)
	return c
}

func containerCommands() []*cobra.Command {
	return []*cobra.Command{newDockerRun(), newDockerCreate(), newDockerStart(), newDockerStop(), newDockerRm(), newDockerExec(),
		newDockerPort(), newDockerLogs(), newDockerTop(), newDockerStats()}
}

// onDocker makes a command one that speaks to the engine of a lab, be it up or not.
func onDocker(c *cobra.Command, run func(ctx context.Context, d *client.Client, args []string) error) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		d, _, err := findDocker(c)
		if err != nil {
			return err
		}
		return dockerError(run(c.Context(), d, args))
	}
	return c
}

// beginDocker makes a command one that begins a lab if none is up.
func beginDocker(c *cobra.Command, run func(ctx context.Context, d *client.Client, args []string) error) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		d, up, err := findDocker(c)
		if err == nil && !up {
			d, err = d.Begin(c.Context(), os.Stderr)
		}
		if err != nil {
			return failed(125, err)
		}
		return dockerError(run(c.Context(), d, args))
	}
	return c
}

func findDocker(c *cobra.Command) (d *client.Client, up bool, err error) {
	name, _ := c.Flags().GetString("lab")
	return client.Find(name, func(name string) (*api.Client, error) {
		return session.RestingEngine(api.HostLab, plan.LoadOptions{Name: name})
	})
}

// dockerError prints what the engine has refused as docker does.
func dockerError(err error) error {
	var refused *client.DaemonError
	if errors.As(err, &refused) {
		fmt.Fprintln(os.Stderr, err)
		return exit(1)
	}
	return err
}

// completeContainers offers the containers that there are.
func completeContainers(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	d, _, err := findDocker(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	rows, _ := d.Containers(ctx, true)
	var names []string
	for _, row := range rows {
		for _, name := range row.Names {
			names = append(names, strings.TrimPrefix(name, "/"))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// forEach does something for each of several things, as docker does: what works is printed, what does not is told of, and
// the others are done all the same.
func forEach(names []string, do func(name string) error) error {
	bad := false
	for _, name := range names {
		if err := do(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			bad = true
			continue
		}
		fmt.Println(name)
	}
	if bad {
		return exit(1)
	}
	return nil
}

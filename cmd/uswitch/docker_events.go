package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/tools/view"
)

func newDockerEvents() *cobra.Command {
	c := &cobra.Command{
		Use:   "events [flags]",
		Short: "Say what happens to containers and networks, as it happens",
		Long: `Says what happens to containers and networks, as it happens; of the past, the last 256 events are kept. Of the services of
the lab's own file it says what docker's commands do to them: the lab itself starts and ends those. What uswitch docker exec runs is
not among them: that goes to the container by itself.`,
		Example: "  uswitch docker events --since 10m --until 0s",
		Args:    usage(cobra.NoArgs),
	}
	since := c.Flags().String("since", "", "also what happened since a `TIME`: 10m, 1136073845 or 2006-01-02T15:04:05")
	until := c.Flags().String("until", "", "end at a `TIME`")
	filters := c.Flags().StringArrayP("filter", "f", nil, "only those with `KEY=VALUE`: type, event, container, network, image or label")
	format := c.Flags().String("format", "", "print each by a `TEMPLATE`, or json")
	return onDocker(c, func(ctx context.Context, d *client.Client, _ []string) error {
		return d.Events(ctx, os.Stdout, *since, *until, *format, *filters)
	})
}

func newDockerTop() *cobra.Command {
	c := &cobra.Command{
		Use:     "top CONTAINER [ps OPTIONS]",
		Short:   "List the processes of a container, as this machine's ps shows them",
		Example: "  uswitch docker top web -o pid,args",
		Args:    usage(cobra.MinimumNArgs(1)),
	}
	c.Flags().SetInterspersed(false) // what follows the container is for ps
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		return d.Top(ctx, os.Stdout, args[0], args[1:])
	})
}

func newDockerStats() *cobra.Command {
	c := &cobra.Command{
		Use:     "stats [flags] [CONTAINER ...]",
		Short:   "Say what the processes of containers use, again and again",
		Long:    "Says what the processes of containers use, again and again; without names, of all that run. In memory only the packets count.",
		Example: "  uswitch docker stats --no-stream",
	}
	all := c.Flags().BoolP("all", "a", false, "also those that do not run")
	once := c.Flags().Bool("no-stream", false, "once")
	format := c.Flags().String("format", "", "print by a `TEMPLATE`, as in '{{.Name}} {{.NetIO}}', table TEMPLATE, or json")
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		return d.Stats(ctx, os.Stdout, args, client.StatsOptions{All: *all, Once: *once, Format: *format, Redraw: view.IsTerminal(os.Stdout)})
	})
}

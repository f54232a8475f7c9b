package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/image"
	"uswitch/cmd/internal/docker/types"
)

func newDockerPs(name string) *cobra.Command {
	c := &cobra.Command{
		Use:     name + " [flags]",
		Short:   "List containers",
		Example: "  uswitch docker ps -a",
		Args:    usage(cobra.NoArgs),
	}
	f := c.Flags()
	var o client.DockerOptions
	all := f.BoolP("all", "a", false, "also those that do not run")
	latest := f.BoolP("latest", "l", false, "only the one that was created last")
	last := f.IntP("last", "n", -1, "only the `N` that were created last")
	filters := f.StringArrayP("filter", "f", nil, "only those with `KEY=VALUE`: name, id, status, network, publish or label")
	listFlags(c, &o)
	return onDocker(c, func(ctx context.Context, d *client.Client, _ []string) error {
		if *latest {
			*last = 1
		}
		rows, err := d.Containers(ctx, *all || *last >= 0 || client.FiltersStatus(*filters))
		if err != nil {
			return err
		}
		if rows, err = client.FilterContainers(rows, *filters); err != nil {
			return err
		}
		if *last >= 0 {
			rows = rows[:min(*last, len(rows))]
		}
		if o.Now, err = d.Lab().Now(ctx); err != nil {
			return err
		}
		return client.DockerPs(os.Stdout, rows, o)
	})
}

// listFlags are those that docker's lists share.
func listFlags(c *cobra.Command, o *client.DockerOptions) {
	f := c.Flags()
	f.StringVar(&o.Format, "format", "", "print by a `TEMPLATE`, as in '{{.ID}} {{.Names}}', table TEMPLATE, or json")
	f.BoolVarP(&o.Quiet, "quiet", "q", false, "only ids")
	f.BoolVar(&o.NoTrunc, "no-trunc", false, "cut nothing short")
}

func newDockerInspect() *cobra.Command {
	c := &cobra.Command{
		Use:     "inspect [flags] NAME ...",
		Short:   "Say everything about containers or networks",
		Example: "  uswitch docker inspect -f '{{.NetworkSettings.IPAddress}}' web",
		Args:    usage(cobra.MinimumNArgs(1)),

		ValidArgsFunction: completeContainers,
	}
	kind := c.Flags().String("type", "", "only a `container` or a network")
	return inspecting(c, func(ctx context.Context, d *client.Client, name string) (any, error) {
		var object any
		var err error
		if *kind == "" || *kind == "container" {
			var container *types.Container
			if container, err = d.Container(ctx, name); err == nil {
				object = container
			}
		}
		if object == nil && (*kind == "" || *kind == "network") && (*kind != "" || client.NotFound(err)) {
			var network *types.Network
			if network, err = d.Network(ctx, name); err == nil {
				object = network
			}
		}
		if *kind == "" && client.NotFound(err) {
			err = errors.New("Error: No such object: " + name)
		}
		return object, err
	})
}

func newDockerContainerInspect() *cobra.Command {
	return inspecting(&cobra.Command{
		Use:     "inspect [flags] CONTAINER ...",
		Short:   "Say everything about containers",
		Example: "  uswitch docker container inspect web",
		Args:    usage(cobra.MinimumNArgs(1)),

		ValidArgsFunction: completeContainers,
	}, func(ctx context.Context, d *client.Client, name string) (any, error) { return d.Container(ctx, name) })
}

// inspecting makes a command that shows what is found, and then tells of what is not.
func inspecting(c *cobra.Command, find func(ctx context.Context, d *client.Client, name string) (any, error)) *cobra.Command {
	format := c.Flags().StringP("format", "f", "", "print by a `TEMPLATE`, as in '{{json .NetworkSettings}}', or json")
	return onDocker(c, func(ctx context.Context, d *client.Client, args []string) error {
		var found []any
		var wrong []error
		for _, name := range args {
			object, err := find(ctx, d, name)
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			found = append(found, object)
		}
		if len(found) > 0 || *format == "" {
			if err := client.DockerInspect(os.Stdout, found, *format); err != nil {
				return err
			}
		}
		for _, err := range wrong {
			fmt.Fprintln(os.Stderr, err)
		}
		if len(wrong) > 0 {
			return exit(1)
		}
		return nil
	})
}

func newDockerInfo() *cobra.Command {
	c := &cobra.Command{
		Use:     "info",
		Short:   "Say what there is of a Docker here, and the rules of which Docker",
		Example: "  uswitch docker info",
		Args:    usage(cobra.NoArgs),
	}
	format := c.Flags().StringP("format", "f", "", "print it as `TEMPLATE`, or json")
	return onDocker(c, func(ctx context.Context, d *client.Client, _ []string) error {
		i, err := d.Info(ctx)
		switch {
		case err != nil:
			return err
		case *format == "":
			return client.DockerInfo(os.Stdout, i)
		case *format == "json":
			return client.DockerInspect(os.Stdout, []any{i}, "{{json .}}")
		}
		return client.DockerInspect(os.Stdout, []any{i}, *format)
	})
}

func newDockerImages() *cobra.Command {
	c := &cobra.Command{
		Use:     "images",
		Short:   "List the images whose names are known, and what runs in the place of each",
		Long:    "Lists the images whose names are known, what runs in the place of each where no command is given, on which port, and\nwhether this machine has that program.",
		Example: "  uswitch docker images",
		Args:    usage(cobra.NoArgs),
	}
	c.RunE = func(*cobra.Command, []string) error {
		w := tabwriter.NewWriter(os.Stdout, 0, 8, 3, ' ', 0)
		fmt.Fprintln(w, "REPOSITORY\tRUNS\tPORTS\tHERE")
		for _, name := range image.Names() {
			i := image.Lookup(name)
			here := "yes"
			if _, err := exec.LookPath(i.Command[0]); err != nil && i.Command[0] != "uswitch" {
				here = "no"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, strings.Join(i.Command, " "), strings.Join(i.Exposed, ", "), here)
		}
		return w.Flush()
	}
	return c
}

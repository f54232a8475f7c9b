package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/image"
)

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

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

// project asks a lab what it is as a project.
func project(ctx context.Context, up *api.Client) (view.Project, error) {
	var l api.Lab
	var hosts []api.Host
	err := up.Get(ctx, "/v1/lab", nil, &l)
	if err == nil {
		err = up.Get(ctx, "/v1/hosts", nil, &hosts)
	}
	return view.ProjectOf(l, hosts), err
}

func newLs() *cobra.Command {
	c := &cobra.Command{
		Use:     "ls",
		Short:   "List the labs that are up, as docker compose ls does",
		Example: "  uswitch ls",
		GroupID: groupLab,
		Args:    usage(cobra.NoArgs),
	}
	format := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		rows := []view.Project{}
		for _, answer := range api.AskAll(c.Context(), project) {
			if answer.Err != nil {
				fmt.Fprintln(os.Stderr, "uswitch:", answer.Err)
				continue
			}
			rows = append(rows, answer.Said)
		}
		for _, begun := range api.AllBegun() {
			rows = append(rows, view.Project{Name: begun.Lab, Status: "coming up, or going", PID: begun.PID})
		}
		return show(*format, rows, func() error { return view.Projects(os.Stdout, rows) })
	}
	return c
}

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
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
				fmt.Fprintln(os.Stderr, "uswitch:", words.Text(words.In, answer.Err))
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

func newPs() *cobra.Command {
	c := &cobra.Command{
		Use:     "ps",
		Short:   "List the labs that are up",
		Example: "  uswitch ps",
		GroupID: groupLab,
		Args:    usage(cobra.NoArgs),
	}
	format := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		labs := []api.Lab{}
		for _, answer := range api.AskAll(c.Context(), func(ctx context.Context, up *api.Client) (l api.Lab, err error) {
			err = up.Get(ctx, "/v1/lab", nil, &l)
			return l, err
		}) {
			if answer.Err != nil {
				fmt.Fprintln(os.Stderr, "uswitch:", words.Text(words.In, answer.Err))
				continue
			}
			labs = append(labs, answer.Said)
		}
		return show(*format, labs, func() error { return view.Labs(os.Stdout, labs) })
	}
	return c
}

// show prints a table as text or as JSON.
func show(format string, rows any, text func() error) error {
	switch format {
	case "text":
		return text()
	case "json":
		return view.JSON(os.Stdout, rows)
	}
	return usageError{words.Errorf("-o %s: want text or json", format)}
}

// get asks the lab for a table and prints it.
func get[T any](ctx context.Context, lab *api.Client, path, format string, text func([]T) error) error {
	var rows []T
	if err := lab.Get(ctx, path, nil, &rows); err != nil {
		return err
	}
	return show(format, rows, func() error { return text(rows) })
}

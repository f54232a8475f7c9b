package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control"
	"uswitch/cmd/internal/view"
)

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
		for _, up := range control.Up() {
			var l control.Lab
			var hosts []control.Host
			err := up.Get(c.Context(), "/v1/lab", nil, &l)
			if err == nil {
				err = up.Get(c.Context(), "/v1/hosts", nil, &hosts)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "uswitch:", err)
				continue
			}
			rows = append(rows, view.ProjectOf(l, hosts))
		}
		return show(*format, rows, func() error { return view.Projects(os.Stdout, rows) })
	}
	return c
}

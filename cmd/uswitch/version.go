package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/session"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  uswitch version",
		GroupID: groupLab,
		Args:    usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), session.Version())
			return err
		},
	}
}

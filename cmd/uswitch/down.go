package main

import (
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
)

func newDown() *cobra.Command {
	return &cobra.Command{
		Use:   "down [LAB|FILE]",
		Short: "Take a lab down, as stop does; it may be named by its file",
		Long: `Ends the commands of a lab's hosts, removes everything that was made for it, and waits until that is done. The lab
is named, or the file that it was made from; that may be left out if only one is up.`,
		Example:           "  uswitch down red-blue",
		GroupID:           groupLab,
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, args []string) error {
			name := append(args, "")[0]
			up, err := findLab(name)
			if info, e := os.Stat(name); err != nil && name != "" && e == nil && !info.IsDir() {
				p, e := session.Read(name, plan.LoadOptions{}, os.Stderr)
				if e != nil {
					return e
				}
				name = p.Name
				up, err = findLab(name)
			}
			if begun, ok := api.FindBegun(name); err != nil && ok {
				return session.StopBegun(c.Context(), begun)
			}
			if err != nil {
				return err
			}
			return session.Stop(c.Context(), up)
		},
	}
}

package main

import (
	"cmp"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/session"
)

func newApply() *cobra.Command {
	var o session.ApplyOptions
	c := &cobra.Command{
		Use:   "apply LAB|FILE",
		Short: "Make a lab that is up what its file says now",
		Long: `Reads the file again and changes the lab that is up: hosts, networks, interfaces, ports, flags, rules and commands that
are new, gone or different, with a line for each. All else goes on - namespaces, connections, what was added by hand.
A file that is wrong changes nothing; if a change fails, those before it are undone. The lab's name, its way out and
allow_host cannot change while it is up.`,
		Example:           "  uswitch apply red-blue --dry-run",
		GroupID:           groupChange,
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: completeBuiltins,
		RunE: func(c *cobra.Command, args []string) error {
			o.Load.Name = cmp.Or(o.Load.Name, os.Getenv("USWITCH_LAB"))
			lines, err := session.Apply(c.Context(), args[0], o, os.Stderr)
			for _, line := range lines {
				fmt.Println(line)
			}
			if len(lines) == 0 && err == nil {
				fmt.Println("nothing to change")
			}
			return err
		},
	}
	f := c.Flags()
	f.BoolVar(&o.DryRun, "dry-run", false, "only print what would change")
	f.StringVar(&o.Load.Name, "lab", "", "apply the file to lab `NAME`, whatever the file calls it (or set USWITCH_LAB)")
	fileFlags(f, &o.Load)
	f.StringVar(&o.Load.Uplink, "uplink", "", "the `UPLINK` that the lab was brought up with, if that was not the file's")
	f.BoolVar(&o.Keep, "keep", false, "the lab stays up when its commands have ended")
	_ = c.RegisterFlagCompletionFunc("lab", completeLabs)
	return c
}

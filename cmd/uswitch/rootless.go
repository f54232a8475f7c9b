package main

import (
	"cmp"
	"strconv"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/session"
)

// rightsFlags are the options --rootless and --root-only of what brings a lab up; simulate is the one called --sim.
func rightsFlags(c *cobra.Command, rights *session.Rights) {
	choose := func(name, about string, to session.Rights) {
		c.Flags().BoolFunc(name, about, func(text string) error {
			on, err := strconv.ParseBool(cmp.Or(text, "true")) // up -d passes it on without
			if on {
				*rights = to
			}
			return err
		})
	}
	choose("rootless", "run the lab in a user namespace of its own, also as root", session.Rootless)
	choose("root-only", "use the rights that there are, and no user namespace", session.RootOnly)
	c.MarkFlagsMutuallyExclusive("sim", "rootless", "root-only")
}

// newRootlessLab is what a lab without root's rights is run by; it is started by run, up, check and learn.
func newRootlessLab() *cobra.Command {
	return &cobra.Command{
		Use: session.RootlessCommand, Hidden: true, GroupID: groupLab, Args: usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return failed(session.RunRootless()) },
	}
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/doctor"
	"uswitch/cmd/internal/session"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and which labs this process may have",
		Long: `Prints the version, the commit, Go's version and the machine's kind; and in a second line which labs can be had here, as
far as /dev/net/tun and the capabilities of this process say that. uswitch doctor tries it.`,
		Example: "  uswitch version",
		GroupID: groupLab,
		Args:    usage(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			mode, because := session.Look()
			text := mode.String()
			if because != nil {
				text += ": " + because.Error()
			} else if mode == doctor.Rootless {
				text += ", if the kernel lets it"
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s\nmode: %s; uswitch doctor tries it\n", session.Version(), text)
			return err
		},
	}
}

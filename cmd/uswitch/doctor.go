package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/doctor"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/view"
)

func newDoctor() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Try what labs need here, and say what is in the way and what would help",
		Long: `Tries what a lab on real network interfaces does, and what it would use, in processes that end with that and leave nothing
behind. A row for each: ok, refused or absent, the kernel's word for it, and what would change it here. The last line says
which labs can be had: real ones as root, rootless (in a user namespace of their own), or in memory (--sim). That is what
uswitch run does then. The exit status is 0, 1 or 2.`,
		Example: "  uswitch doctor",
		GroupID: groupLab,
		Args:    usage(cobra.NoArgs),
	}
	hosts := c.Flags().Uint16("hosts", 100, "compare what the machine has with what a lab of `N` hosts needs")
	format := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *format != "text" && *format != "json" {
			return show(*format, nil, nil) // before anything is tried
		}
		report := doctor.Here().Report(session.Diagnose(int(*hosts)))
		write := func() error { return report.Write(os.Stdout) }
		if *format == "json" {
			write = func() error { return view.JSON(os.Stdout, report) }
		}
		if err := write(); err != nil {
			return err
		}
		return exit(report.Mode.Status())
	}
	return c
}

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

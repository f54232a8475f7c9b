package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/lab"
	"uswitch/cmd/internal/session"
)

func newRun() *cobra.Command {
	o := session.Options{Stdout: os.Stdout, Stderr: os.Stderr}
	var load lab.LoadOptions
	c := &cobra.Command{
		Use:   "run LAB|FILE [-- COMMAND ...]",
		Short: "Bring a lab up, and show what happens in it until it ends",
		Long: `Brings a lab up from a built-in lab or a Compose file, runs the commands of its hosts, and prints their
output with the trace between it. The lab ends with its commands, or, if it stays up, with Ctrl-C or
uswitch stop; everything that was made is then removed. With -- COMMAND it ends with that command, which
runs on this machine while the lab is up. The exit status is the first one that is not 0, or COMMAND's.

Built-in labs:
` + builtins(),
		Example: "  uswitch run red-blue",
		GroupID: groupLab,
		Args:    usage(runArgs),
		RunE: func(c *cobra.Command, args []string) error {
			o.Command = args[1:]
			return run(args[0], load, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Trace, "trace", "text", "how to print the trace: `text, json or off`")
	f.StringVar(&o.Pcap, "pcap", "", "capture every step of every packet to `FILE` (pcapng)")
	f.BoolVar(&o.Force, "force", false, "overwrite the capture file")
	f.StringVar(&load.Name, "name", "", "call the lab `NAME`, in place of what its file says")
	f.StringVar(&load.Uplink, "uplink", "", "the way out, in place of the file's: `none, sim, host or netns:NAME`")
	return c
}

// runArgs accepts a lab, and behind -- a command.
func runArgs(c *cobra.Command, args []string) error {
	dash := c.ArgsLenAtDash()
	if len(args) == 0 || dash == 0 || dash < 0 && len(args) > 1 || dash > 1 || dash == len(args) {
		return fmt.Errorf("arguments")
	}
	return nil
}

func builtins() string {
	var b strings.Builder
	for _, one := range lab.Builtins() {
		fmt.Fprintf(&b, "  %-14s %s\n", one.Name, one.About)
	}
	return b.String()
}

func run(name string, load lab.LoadOptions, o session.Options) error {
	plan, err := session.Load(name, load, o.Stderr)
	if err != nil {
		return err
	}
	if o.Plan = plan; o.Trace != "text" && o.Trace != "json" && o.Trace != "off" {
		return usageError{fmt.Errorf("--trace %s: want text, json or off", o.Trace)}
	}
	status, err := session.Run(o)
	if err != nil {
		return err
	}
	return exit(status)
}

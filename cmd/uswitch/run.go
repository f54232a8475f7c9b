package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/doctor"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/words"
)

func newRun() *cobra.Command {
	o := session.Options{Stdout: os.Stdout, Stderr: os.Stderr}
	var load plan.LoadOptions
	var simulate, keep, page bool
	var offload string
	var at pageOptions
	c := &cobra.Command{
		Use:   "run LAB|FILE [flags] [-- COMMAND ...]",
		Short: "Bring a lab up, and show what happens in it until it ends",
		Long: `Brings a lab up from a built-in lab or a Compose file, runs the commands of its hosts, and prints their
output with the trace between it. The lab ends with its commands, or, if it stays up, with Ctrl-C or
uswitch stop; everything that was made is then removed. With -- COMMAND it ends with that command, which
runs on this machine while the lab is up. The exit status is the first one that is not 0, or COMMAND's; 125 if
this machine cannot have network interfaces of its own making.

With --sim hosts are simulated, and so are their programs: small ones of uswitch's own, called ping, curl, ip
and so on. All commands work on such a lab as on any other. A lab that ends by itself, or is there for COMMAND,
does not even wait: it prints the same on every run, to the byte.

Built-in labs:
` + builtins(),
		Example: "  uswitch run red-blue",
		GroupID: groupLab,
		Args:    usage(runArgs),

		ValidArgsFunction: completeBuiltins,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if o.Plain, err = plain(offload); err != nil {
				return err
			}
			o.Command, o.Live = args[1:], c.Name() == "up"
			if page {
				keep, o.Open = true, at.serve
			}
			verb := c.Name() // in which form the person can do without what is missing
			if o.InBackground {
				verb = "up -d"
			}
			return run(verb, args[0], load, o, simulate, keep)
		},
	}
	f := c.Flags()
	f.BoolVar(&simulate, "sim", false, "run the lab in memory, without privileges and network interfaces")
	rightsFlags(c, &o.Rights)
	f.BoolVar(&keep, "keep", false, "leave the lab up when its commands have ended")
	f.BoolVar(&page, "web", false, "show the lab on a page as well, and keep it up: see uswitch web")
	f.StringVar(&o.Trace, "trace", "text", "print the trace as `text|json|off`")
	f.StringVar(&o.Pcap, "pcap", "", "capture every step of every packet to `FILE` (pcapng)")
	f.IntVar(&o.Snap, "snap", 0, "capture the first `BYTES` of each frame; 0: all")
	f.BoolVar(&o.Force, "force", false, "overwrite the capture file")
	f.BoolVar(&o.Adopt, "adopt", false, "let hosts use namespaces of their names that are there already, and leave them behind")
	f.StringVar(&offload, "offload", "", "`on|off`; with off every frame is as on a wire: no super-frames, no checksums left to others (default: "+
		offloadVariable+", else on)")
	f.BoolVar(&o.InBackground, "in-background", false, "up -d has started this process")
	_ = f.MarkHidden("in-background")
	f.StringVar(&load.Name, "name", "", "call the lab `NAME`, in place of what its file says")
	fileFlags(f, &load)
	f.StringVar(&load.Uplink, "uplink", "", "take `UPLINK` for the way out, in place of the file's: none, sim, host or netns:NAME")
	return c
}

// runArgs accepts a lab, and behind -- a command.
func runArgs(c *cobra.Command, args []string) error {
	dash := c.ArgsLenAtDash()
	if len(args) == 0 || dash == 0 || dash < 0 && len(args) > 1 || dash > 1 || dash == len(args) {
		return errors.New("arguments")
	}
	return nil
}

func builtins() string {
	var b strings.Builder
	for _, one := range plan.Builtins() {
		fmt.Fprintf(&b, "  %-14s %s\n", one.Name, one.About)
	}
	return b.String()
}

func run(verb, name string, load plan.LoadOptions, o session.Options, simulate, keep bool) error {
	if o.Trace != "text" && o.Trace != "json" && o.Trace != "off" {
		return usageError{words.Errorf("--trace %s: want text, json or off", o.Trace)}
	}
	if o.Pcap == "-" {
		return usageError{words.Errorf("--pcap -: standard output has the trace: want a file, or uswitch capture -w - beside the lab")}
	}
	if o.Snap < 0 {
		return usageError{words.Errorf("--snap %d: want 0 or more bytes", o.Snap)}
	}
	p, err := session.Load(name, load, o.Stderr)
	if err != nil {
		return err
	}
	o.Plan = p
	p.KeepUp = p.KeepUp || keep
	o.Simulated = simulate
	status, err := session.Run(o)
	var cannot *session.CannotError
	switch {
	case errors.As(err, &cannot) && session.Simulable(p):
		status, err = 125, orSimulated(err, verb, name)
	case errors.As(err, &cannot):
		status, err = 125, needsMore(cannot)
	}
	return failed(status, err)
}

// needsMore says what a lab on real network interfaces lacks here, and what would help.
func needsMore(cannot *session.CannotError) error {
	lines, remedy := doctor.Here().Explain(cannot.Root, cannot.Rootless)
	if remedy != "" {
		lines = append(lines, remedy)
	}
	return errors.New("this lab needs more than there is:\n  " + strings.Join(lines, "\n  "))
}

// orSimulated adds to what is lacking how a command can do without.
func orSimulated(err error, command, name string) error {
	var cannot *session.CannotError
	if !errors.As(err, &cannot) {
		return err
	}
	return words.Errorf("%w\nwithout all that: uswitch %s --sim %s", needsMore(cannot), command, name)
}

package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/step"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

func newStep() *cobra.Command {
	var o step.Options
	c := &cobra.Command{
		Use:   "step",
		Short: "Hold packets, and let them go on one hop at a time",
		Long: `Holds the packets that the options choose, each at every step it takes, until a key lets it take the next. At each
stop: what was decided, the packet, what it has changed in the tables, and what will be looked up next. All other
traffic goes on. Packets of one sender stay in order.

Keys: n or space for the next hop, c to let this packet run, q to quit, which lets all of them go. Where standard
input is no terminal, each line of it is a key (an empty one: n), and its end quits.`,
		Example: "  uswitch step --host RED --proto icmp --at postrouting",
		GroupID: groupLook,
		Args:    usage(cobra.NoArgs),
	}
	f := c.Flags()
	f.StringArrayVar(&o.Query.Filter.Hooks, "at", nil, "let packets run until they have been at `HOOK`: forward, postrouting ...")
	packetFlags(f, &o.Query.Filter)
	f.DurationVar(&o.Delay, "auto", 0, "step without keys, one hop every `DELAY`")
	f.IntVarP(&o.Count, "count", "c", 0, "quit when `N` packets have come to their end")
	f.IntVar(&o.Query.Max, "max", 0, "hold at most `N` packets at once; further ones pass by (0: 64)")
	f.DurationVar(&o.Query.Patience, "patience", 0, "a packet goes on by itself after `TIME` at one stop (0: 1m)")
	format := output(c)
	completePackets(c, "at")
	return onLab(c, func(_ context.Context, lab *api.Client, _ []string) error {
		if *format != "text" && *format != "json" {
			return usageError{words.Errorf("-o %s: want text or json", *format)}
		}
		if o.Delay < 0 || o.Count < 0 || o.Query.Max < 0 || o.Query.Patience < 0 {
			return usageError{words.Errorf("step: --auto, -c, --max and --patience: want numbers that are not negative")}
		}
		o.Auto, o.JSON = c.Flags().Changed("auto"), *format == "json"
		o.Width, o.Colour = view.Terminal(os.Stdout)
		ctx, stop := session.Interruptible()
		defer stop()
		err := step.Run(ctx, lab, o, os.Stdin, os.Stdout, os.Stderr)
		if err == nil {
			return nil // the person has quit
		}
		return session.StreamEnd(ctx, lab.Lab(), err)
	})
}

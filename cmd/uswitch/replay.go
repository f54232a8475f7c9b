package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/step"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

func newReplay() *cobra.Command {
	c := &cobra.Command{
		Use:   "replay PACKET",
		Short: "Go back and forth over a packet's journey, one hop at a time",
		Long: `Shows the journey of a packet again, by its number in the trace: the packet at each hop, and what the hop has changed
in it. The lab remembers packets that somebody has traced a moment ago; with -r a capture remembers all of them, also
when no lab is up.

Keys: n or space for the next hop, p for the one before, q to quit. Where standard input is no terminal, all hops are
printed.`,
		Example: "  uswitch replay -r all.pcapng 10",
		GroupID: groupLook,
		Args:    usage(cobra.ExactArgs(1)),
	}
	file := c.Flags().StringP("read", "r", "", "read a capture that uswitch capture has written to `FILE`")
	format := output(c)
	onLab(c, nil)
	c.RunE = func(c *cobra.Command, args []string) error {
		packet, err := strconv.ParseUint(args[0], 10, 64)
		if err != nil || packet == 0 {
			return usageError{words.Errorf("packet %q: want its number in the trace, as in uswitch replay 7", args[0])}
		}
		name, _ := c.Flags().GetString("lab")
		ctx, stop := session.Interruptible()
		defer stop()
		steps, err := journey(ctx, *file, name, packet)
		if err != nil {
			return err
		}
		var o step.ReplayOptions
		o.Width, o.Colour = view.Terminal(os.Stdout)
		return show(*format, steps, func() error { return step.Replay(ctx, steps, o, os.Stdin, os.Stdout, os.Stderr) })
	}
	return c
}

// journey finds the steps of a packet, in a file or in a lab. Of a file that has lost steps it says so.
func journey(ctx context.Context, file, lab string, packet uint64) ([]api.Step, error) {
	if file != "" {
		steps, lost, err := step.Captured(file, packet)
		if lost > 0 {
			fmt.Fprintln(os.Stderr, "uswitch: "+words.In("the capture has lost %d steps: some of this packet's may be among them", lost))
		}
		return steps, err
	}
	client, err := findLab(lab)
	if err != nil {
		return nil, err
	}
	return step.Remembered(ctx, client, packet)
}

package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/join"
	"uswitch/cmd/internal/tools/step"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/tools/watch"
	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

func newTrace() *cobra.Command {
	var q api.TraceQuery
	c := &cobra.Command{
		Use:   "trace [--join A.pcapng B.pcapng]",
		Short: "Watch every step of every packet, live",
		Long: `Prints what the lab's switches and its gateway do with each packet, step by step, until Ctrl-C. Options
choose packets; of several hosts or hooks one is enough. A packet that is chosen is followed to its end, and its
connection with it, though its addresses change on the way. A slow reader never slows the lab: it misses the oldest
events, and is told how many.

With --join it takes two captures, which uswitch capture has made on two machines, and prints of each packet that went
through a tunnel from one to the other what both did with it, side by side:
  uswitch trace --join a.pcapng b.pcapng`,
		Example: "  uswitch trace --host RED --proto icmp",
		GroupID: groupLook,
		Args:    usage(cobra.MaximumNArgs(2)),
	}
	both := c.Flags().Bool("join", false, "put the two captures that follow side by side")
	c.Flags().StringVarP(&q.Format, "output", "o", "text", "print `text|json`")
	c.Flags().BoolVar(&q.NoFold, "no-fold", false, "print every packet of a burst")
	filterFlags(c.Flags(), &q.Filter)
	complete(c)
	onLab(c, func(_ context.Context, lab *api.Client, _ []string) error {
		q.Width, q.Colour = view.Terminal(os.Stdout)
		ctx, stop := session.Interruptible()
		defer stop()
		return session.Trace(ctx, lab, q, os.Stdout)
	})
	live := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case q.Format != "text" && q.Format != "json":
			return usageError{words.Errorf("-o %s: want text or json", q.Format)}
		case *both:
			return joinCaptures(c, args, q.Format)
		case len(args) > 0:
			return usageError{words.Errorf("%q: want options only; captures are joined by --join A.pcapng B.pcapng", args[0])}
		}
		return live(c, args)
	}
	return c
}

// maxJoined is how many steps of a capture are held in memory to join it with another.
const maxJoined = 2_000_000

// joinCaptures puts two captures side by side. Options that choose packets are of no use then.
func joinCaptures(c *cobra.Command, files []string, format string) error {
	if len(files) != 2 {
		return usageError{words.Errorf("--join: want two captures, as in --join a.pcapng b.pcapng")}
	}
	var idle error
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "join" && f.Name != "output" {
			idle = usageError{words.Errorf("--join: --%s chooses what is captured: give it to uswitch capture", f.Name)}
		}
	})
	if idle != nil {
		return idle
	}
	joined, err := join.Files(files[0], files[1], maxJoined)
	if err != nil {
		return err
	}
	if format == "json" {
		return joined.JSON(os.Stdout)
	}
	width, _ := view.Terminal(os.Stdout)
	return joined.Print(os.Stdout, width)
}

func newCapture() *cobra.Command {
	var q api.TraceQuery
	var path string
	var force bool
	c := &cobra.Command{
		Use:   "capture -w FILE|-",
		Short: "Capture every step of every packet for Wireshark",
		Long: `Writes a pcapng file in which each packet appears once for every step that it takes, until Ctrl-C: the step is
the interface, what happened there the packet's comment. With - it goes to standard output:
  uswitch capture -w - | wireshark -k -i -`,
		Example: "  uswitch capture -w all.pcapng",
		GroupID: groupLook,
		Args:    usage(cobra.NoArgs),
	}
	c.Flags().StringVarP(&path, "write", "w", "", "write to `FILE`; - is standard output")
	c.Flags().BoolVar(&force, "force", false, "overwrite the file")
	c.Flags().IntVar(&q.Snap, "snap", 0, "keep the first `BYTES` of each frame; 0: all")
	filterFlags(c.Flags(), &q.Filter)
	complete(c)
	return onLab(c, func(_ context.Context, lab *api.Client, _ []string) error {
		if path == "" {
			return usageError{words.Errorf("capture: want -w FILE, or -w - for standard output")}
		}
		if path == "-" && view.IsTerminal(os.Stdout) {
			return usageError{words.Errorf("capture: a capture is not for a terminal: want -w FILE, or a pipe behind -w -")}
		}
		ctx, stop := session.Interruptible()
		defer stop()
		return session.Capture(ctx, lab, q, path, force, os.Stdout)
	})
}

func filterFlags(f *pflag.FlagSet, spec *trace.FilterSpec) {
	packetFlags(f, spec)
	f.StringArrayVar(&spec.Hooks, "hook", nil, "only steps at `HOOK`: ingress, bridge, prerouting, forward ...")
	f.BoolVar(&spec.Drops, "drops", false, "only drops")
}

// packetFlags are the filters that choose packets.
func packetFlags(f *pflag.FlagSet, spec *trace.FilterSpec) {
	f.StringArrayVar(&spec.Hosts, "host", nil, "only packets of `HOST`, a host's name or an address")
	f.StringArrayVar(&spec.From, "from", nil, "only packets that `HOST` sends; their answers are not followed")
	f.StringVar(&spec.Port, "port", "", "only TCP and UDP packets with `PORT` at either end")
	f.StringVar(&spec.Proto, "proto", "", "only `PROTOCOL`: arp, ip, icmp, tcp, udp, or a number")
}

// complete offers values for the filters.
func complete(c *cobra.Command) { completePackets(c, "hook") }

// completePackets offers values for the filters that choose packets, and for the one that chooses hooks.
func completePackets(c *cobra.Command, hook string) {
	var hooks []string
	for _, h := range trace.Hooks() {
		hooks = append(hooks, h.String())
	}
	_ = c.RegisterFlagCompletionFunc(hook, cobra.FixedCompletions(hooks, cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("proto", cobra.FixedCompletions([]string{"arp", "ip", "icmp", "tcp", "udp"}, cobra.ShellCompDirectiveNoFileComp))
	for _, flag := range []string{"host", "from"} {
		_ = c.RegisterFlagCompletionFunc(flag, func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return hostNames(c), cobra.ShellCompDirectiveNoFileComp
		})
	}
}

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

func newWatch() *cobra.Command {
	c := &cobra.Command{
		Use:   "watch",
		Short: "The lab on the whole screen: drawn, with its tables, and packets on their way",
		Long: `Shows hosts and switches, a table beside them, and the journeys of packets below as they happen.

Keys: tab for the next table (fdb, neigh, conntrack, drops, ports, routes), / for a filter, as in RED icmp, p to pause,
s to hold the packets that the filter chooses, then n for the next hop, c to let one run and s to let all go; the
arrows scroll, q quits.`,
		Example: "  uswitch watch",
		GroupID: groupLook,
		Args:    usage(cobra.NoArgs),
	}
	return onLab(c, func(_ context.Context, lab *api.Client, _ []string) error {
		ctx, stop := session.Interruptible()
		defer stop()
		return watch.Run(ctx, lab)
	})
}

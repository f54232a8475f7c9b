package main

import (
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/tcpdump"
)

func newTcpdump() *cobra.Command {
	return &cobra.Command{
		Use:   "tcpdump -i WHERE [-n] [-e] [-t] [-c N] [-w FILE [--force]] [FILTER]",
		Short: "The frames that pass somewhere, a line each, as tcpdump prints them",
		Long: `Listens at one of the lab's devices until Ctrl-C, or for -c N frames.
  -i br0      the switch of a network, as on a Linux bridge: every frame that it takes in, and what the gateway sends
  -i RED      the cable of a host (or by its own name, veth...)
  -i uplink   the way out
  -i gateway  what the gateway itself gets and sends, on all networks and the uplink
  -i any      every device, so that a frame is seen at each on its way
-w follows no link and overwrites nothing; with --force it empties an ordinary file of your own.

Filters: ip ip6 arp tcp udp icmp, [src|dst] host|net|port|portrange ID, ether host|proto, broadcast, multicast, less, greater;
and, or, not and parentheses. Hosts may be named as in the lab. Names are never looked up, as with -n.

With several labs up, say which with USWITCH_LAB=NAME in front, or --lab NAME as the first words.`,
		Example:            "  uswitch tcpdump -i br0 -n icmp or arp",
		GroupID:            groupHost,
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "-h" || args[0] == "--help") {
				return c.Help()
			}
			name, args := labFirst(args)
			o, err := tcpdump.Parse(args)
			if err != nil {
				return toolError(err)
			}
			lab, err := findLab(name)
			if err != nil {
				return err
			}
			ctx, stop := session.Interruptible()
			defer stop()
			if err := tcpdump.Run(ctx, lab, o, os.Stdout, os.Stderr); err != nil {
				return toolError(session.StreamEnd(ctx, lab.Lab(), err))
			}
			return nil // there were as many frames as were asked for
		},
	}
}

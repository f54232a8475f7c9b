package main

import (
	"context"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/watch"
)

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

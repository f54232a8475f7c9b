package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/ping"
	"uswitch/cmd/internal/session"
)

func newPing() *cobra.Command {
	c := &cobra.Command{
		Use:     "ping ADDRESS...",
		Short:   "Send ICMP echoes: a small ping for machines that have none",
		Example: "  uswitch ping -c 1 127.0.0.1",
		GroupID: groupInside,
		Args:    usage(cobra.MinimumNArgs(1)),
	}
	options := ping.Flags(c.Flags())
	c.RunE = func(_ *cobra.Command, args []string) error {
		o, err := options(args)
		if err != nil {
			return usageError{fmt.Errorf("ping: %w", err)}
		}
		ctx, stop := session.Interruptible()
		defer stop()
		return exit(ping.Run(ctx, o, os.Stdout))
	}
	return c
}

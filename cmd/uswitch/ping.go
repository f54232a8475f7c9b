package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/ping"
)

func newPing() *cobra.Command {
	c := &cobra.Command{
		Use:   "ping ADDRESS|HOST...",
		Short: "Send ICMP echoes from the gateway or, inside a host, from there",
		Long: `Send ICMP echoes, and print what ping prints.

Typed on this machine, they leave from the gateway of the lab that is up: it stands for the machine that tutorials
call the host. Inside a host of a lab (uswitch exec RED -- uswitch ping ..., or a command of the lab file) they leave
from there.`,
		Example: "  uswitch ping -c 1 11.11.11.2",
		GroupID: groupHost,
		Args:    usage(cobra.MinimumNArgs(1)),
	}
	options := ping.Flags(c.Flags())
	lab := labFlag(c)
	c.RunE = func(_ *cobra.Command, args []string) error {
		ctx, stop := session.Interruptible()
		defer stop()
		lookUp, open := ping.Here(ctx), ping.OpenHere
		if *lab != "" || !session.InsideHost(ctx) {
			client, err := findLab(*lab)
			if err != nil {
				return fmt.Errorf("ping: from the gateway: %w", err)
			}
			lookUp, open = ping.InLab(ctx, client), ping.FromGateway(client)
		}
		o, err := options(args, lookUp)
		if err != nil {
			return usageError{fmt.Errorf("ping: %w", err)}
		}
		return exit(ping.Run(ctx, o, open, os.Stdout))
	}
	return c
}

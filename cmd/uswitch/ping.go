package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/ping"
	"uswitch/cmd/internal/tools/serve"
	"uswitch/cmd/internal/tools/traceroute"
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

func newTraceroute() *cobra.Command {
	c := &cobra.Command{
		Use:     "traceroute ADDRESS|HOST",
		Short:   "Follow the way of packets from the gateway, as traceroute does",
		Example: "  uswitch traceroute -n 8.8.8.8",
		GroupID: groupHost,
		Args:    usage(cobra.ExactArgs(1)),
	}
	options := traceroute.Flags(c.Flags())
	return onLab(c, func(_ context.Context, lab *api.Client, args []string) error {
		ctx, stop := session.Interruptible()
		defer stop()
		o, err := options()
		if err != nil {
			return usageError{fmt.Errorf("traceroute: %w", err)}
		}
		to := traceroute.Target{Name: args[0]}
		if to.Addr, err = ping.Find(args[0], ping.InLab(ctx, lab)); err != nil {
			return usageError{fmt.Errorf("traceroute: %w", err)}
		}
		proto := "udp"
		if o.ICMP {
			proto = "icmp"
		}
		raw, err := lab.OpenRaw(ctx, proto, to.Addr)
		if err != nil {
			return fmt.Errorf("traceroute: %w", err)
		}
		defer raw.Close()
		to.Source, to.Number = raw.Source, raw.Number
		names, err := namesOf(ctx, lab)
		if err != nil {
			return err
		}
		return traceroute.Run(ctx, o, to, raw, names, os.Stdout)
	})
}

// namesOf tells the names of a lab's hosts.
func namesOf(ctx context.Context, lab *api.Client) (func(netip.Addr) string, error) {
	var hosts []api.Host
	if err := lab.Get(ctx, "/v1/hosts", nil, &hosts); err != nil {
		return nil, err
	}
	byAddr := map[netip.Addr]string{}
	for _, h := range hosts {
		for _, i := range h.Interfaces {
			byAddr[i.Address.Addr()] = h.Name
		}
	}
	return func(a netip.Addr) string { return byAddr[a] }, nil
}

func newServe() *cobra.Command {
	var port uint16
	c := &cobra.Command{
		Use:     "serve",
		Short:   "Serve a page that says who asks and who answers: a small web server",
		Example: "  uswitch serve -p 8080",
		GroupID: groupInside,
		Args:    usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			ctx, stop := session.Interruptible()
			defer stop()
			return serve.Run(ctx, port, os.Stdout)
		},
	}
	c.Flags().Uint16VarP(&port, "port", "p", 80, "the TCP `PORT` to listen on")
	return c
}

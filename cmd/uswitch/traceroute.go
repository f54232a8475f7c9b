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
	"uswitch/cmd/internal/tools/traceroute"
)

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

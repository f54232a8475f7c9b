package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

func newSet() *cobra.Command {
	c := &cobra.Command{
		Use:     "set",
		Short:   "Change a port, a network, a forwarding table or the gateway",
		Example: "  uswitch set gateway ip_forward=0",
		GroupID: groupChange,
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		setOf("port", "port HOST KEY=VALUE ...", "What a port may do, in the words of bridge link set",
			`Keys: learning, flood, mcast_flood, bcast_flood and isolated, each on or off; ra_guard, nd_guard and dhcp_guard, each on
or off: the host behind it is no router, claims no IPv6 address of others, and is no DHCP server; storm_limit, the
broadcasts, multicasts and floods a second that may come in (0: no limit); up=on, which plugs in again what a fault has
unplugged.`, "  uswitch set port RED isolated=on", 1),
		setOf("network", "network NETWORK KEY=VALUE ...", "What a switch remembers, how long, and which reserved groups go through",
			`Keys: ageing_time in seconds (0: nothing is remembered, every frame is flooded); fdb_max_learned;
group_fwd_mask, which of 01:80:c2:00:00:03 to :0f go through, as in Linux (0x4000: LLDP).`,
			"  uswitch set network br0 ageing_time=10", 1),
		setOf("fdb", "fdb MAC port=HOST|none [sticky=on]", "Where a station is, whatever its frames say",
			`port=HOST enters the station; port=none forgets it. With sticky=on frames from elsewhere pass and the entry
stays; without it such frames are dropped.`, "  uswitch set fdb 02:42:0b:0b:0b:02 port=RED", 1),
		setOf("gateway", "gateway KEY=VALUE ...", "ip_forward, and how long connections are remembered",
			`Keys: ip_forward, 0 or 1; in seconds tcp_timeout_established, tcp_timeout_transitory, tcp_timeout_time_wait,
tcp_timeout_close, udp_timeout, icmp_timeout, generic_timeout.`, "  uswitch set gateway ip_forward=0", 0),
	)
	return c
}

// setOf makes the command for one kind of thing, which has so many words before the values.
func setOf(kind, use, short, long, example string, names int) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Long: short + ". " + long, Example: example, Args: usage(cobra.MinimumNArgs(names + 1))}
	change := api.SetRequest{Kind: kind}
	if kind == "port" || kind == "fdb" {
		c.Flags().StringVar(&change.Network, "network", "", "the `NETWORK`, for a host on several")
	}
	if kind == "port" {
		c.ValidArgsFunction = completeHosts
	}
	return onLab(c, func(ctx context.Context, lab *api.Client, args []string) error {
		if names > 0 {
			change.Name = args[0]
		}
		change.Values = map[string]string{}
		for _, arg := range args[names:] {
			key, value, ok := strings.Cut(arg, "=")
			if !ok {
				return usageError{words.Errorf("set %s: %q: want KEY=VALUE", kind, arg)}
			}
			change.Values[key] = value
		}
		return lab.Do(ctx, http.MethodPost, "/v1/set", nil, change, nil)
	})
}

func newPublish() *cobra.Command {
	c := &cobra.Command{
		Use:     "publish",
		Short:   "Open a host's port to the outside, or close it",
		Example: "  uswitch publish add WEB 8081:80",
		GroupID: groupChange,
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		publishOf("add", "Open a port", func(ctx context.Context, lab *api.Client, body any) error {
			var rows []api.Published
			if err := lab.Do(ctx, http.MethodPost, "/v1/publish", nil, body, &rows); err != nil {
				return err
			}
			if len(rows) > 0 && rows[0].Reach != "" { // all of a range alike
				fmt.Fprintln(os.Stderr, "uswitch:", rows[0].Reach)
			}
			return view.Published(os.Stdout, rows)
		}),
		publishOf("rm", "Close a port; connections through it end", func(ctx context.Context, lab *api.Client, body any) error {
			return lab.Do(ctx, http.MethodDelete, "/v1/publish", nil, body, nil)
		}),
	)
	return c
}

func publishOf(verb, short string, do func(context.Context, *api.Client, any) error) *cobra.Command {
	return onLab(&cobra.Command{
		Use:   verb + " HOST [HOST_IP:]HOST_PORT:PORT[/tcp|udp]",
		Short: short,
		Long: short + `. The port is written as in a Compose file: 8080:80, 127.0.0.1:8080:80/udp, ranges of equal length;
8080-8082:80 is one port, the first of the range that is free. Without HOST_IP it is open on every address of this machine, as Docker does it.`,
		Example:           "  uswitch publish " + verb + " WEB 8081:80",
		Args:              usage(cobra.ExactArgs(2)),
		ValidArgsFunction: completeHosts,
	}, func(ctx context.Context, lab *api.Client, args []string) error {
		return do(ctx, lab, api.PublishRequest{Host: args[0], Port: args[1]})
	})
}

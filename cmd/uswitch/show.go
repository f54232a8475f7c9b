package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

func newShow() *cobra.Command {
	c := &cobra.Command{
		Use:     "show",
		Short:   "Show the lab or a table: lab, ports, tunnels, fdb, neigh, hosts, networks, routes, drops, conntrack, published",
		Example: "  uswitch show fdb",
		GroupID: groupLook,
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	out := os.Stdout
	c.AddCommand(
		newShowLab(),
		tableOf("hosts", "Hosts with their addresses and commands", "/v1/hosts",
			func(rows []api.Host) error { return view.Hosts(out, rows) }),
		tableOf("networks", "Networks with their settings", "/v1/networks",
			func(rows []api.Network) error { return view.Networks(out, rows) }),
		tableOf("ports", "Ports of the switches: what went through, and their flags", "/v1/ports",
			func(rows []api.Port) error { return view.Ports(out, rows) }),
		tableOf("tunnels", "Networks' ports to other machines, and what was said of those", "/v1/tunnels",
			func(rows []api.Tunnel) error { return view.Tunnels(out, rows) }),
		newShowFDB(),
		tableOf("neigh", "The gateway's neighbours, as ip neigh prints them", "/v1/neigh",
			func(rows []api.Neighbor) error { return view.Neighbors(out, rows) }),
		tableOf("routes", "The gateway's routes, as ip route prints them", "/v1/routes",
			func(rows []api.Route) error { return view.Routes(out, rows) }),
		tableOf("drops", "How many packets were dropped, and why", "/v1/drops",
			func(rows []api.Drop) error { return view.Drops(out, rows) }),
		tableOf("conntrack", "Connections, as conntrack -L prints them, with counters", "/v1/conntrack",
			func(rows []api.Conn) error { return view.Conns(out, rows, view.ConnOptions{Counters: true}) }),
		tableOf("published", "Ports that are open to the outside", "/v1/publish",
			func(rows []api.Published) error { return view.Published(out, rows) }),
	)
	return c
}

// tableOf makes the command for one table.
func tableOf[T any](name, short, path string, text func([]T) error) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short, Example: "  uswitch show " + name, Args: usage(cobra.NoArgs)}
	format := output(c)
	return onLab(c, func(ctx context.Context, lab *api.Client, _ []string) error {
		return get(ctx, lab, path, *format, text)
	})
}

func newShowLab() *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "The lab itself: who runs it, its way out, and how good its predictions were",
		Long: `The lab itself: who runs it, its way out, and how good its predictions were. A prediction of explain, check or reach is right
or wrong where a real packet was sent after it; it is not decided where one of the two could not say yes or no.`,
		Example: "  uswitch show lab",
		Args:    usage(cobra.NoArgs),
	}
	format := output(c)
	return onLab(c, func(ctx context.Context, lab *api.Client, _ []string) error {
		var l api.Lab
		if err := lab.Get(ctx, "/v1/lab", nil, &l); err != nil {
			return err
		}
		return show(*format, l, func() error { return view.Lab(os.Stdout, l) })
	})
}

func newShowFDB() *cobra.Command {
	c := &cobra.Command{
		Use:     "fdb",
		Short:   "Forwarding tables, as bridge fdb show prints them",
		Example: "  uswitch show fdb --age",
		Args:    usage(cobra.NoArgs),
	}
	format := output(c)
	ages := c.Flags().Bool("age", false, "also how long ago each learned station was last heard")
	return onLab(c, func(ctx context.Context, lab *api.Client, _ []string) error {
		var rows []api.FDBEntry
		if err := lab.Get(ctx, "/v1/fdb", nil, &rows); err != nil {
			return err
		}
		if !*ages {
			rows = view.WithoutAges(rows)
		}
		return show(*format, rows, func() error { return view.FDB(os.Stdout, rows, *ages) })
	})
}

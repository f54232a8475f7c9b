package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
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

// project asks a lab what it is as a project.
func project(ctx context.Context, up *api.Client) (view.Project, error) {
	var l api.Lab
	var hosts []api.Host
	err := up.Get(ctx, "/v1/lab", nil, &l)
	if err == nil {
		err = up.Get(ctx, "/v1/hosts", nil, &hosts)
	}
	return view.ProjectOf(l, hosts), err
}

func newLs() *cobra.Command {
	c := &cobra.Command{
		Use:     "ls",
		Short:   "List the labs that are up, as docker compose ls does",
		Example: "  uswitch ls",
		GroupID: groupLab,
		Args:    usage(cobra.NoArgs),
	}
	format := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		rows := []view.Project{}
		for _, answer := range api.AskAll(c.Context(), project) {
			if answer.Err != nil {
				fmt.Fprintln(os.Stderr, "uswitch:", words.Text(words.In, answer.Err))
				continue
			}
			rows = append(rows, answer.Said)
		}
		for _, begun := range api.AllBegun() {
			rows = append(rows, view.Project{Name: begun.Lab, Status: "coming up, or going", PID: begun.PID})
		}
		return show(*format, rows, func() error { return view.Projects(os.Stdout, rows) })
	}
	return c
}

func newPs() *cobra.Command {
	c := &cobra.Command{
		Use:     "ps",
		Short:   "List the labs that are up",
		Example: "  uswitch ps",
		GroupID: groupLab,
		Args:    usage(cobra.NoArgs),
	}
	format := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		labs := []api.Lab{}
		for _, answer := range api.AskAll(c.Context(), func(ctx context.Context, up *api.Client) (l api.Lab, err error) {
			err = up.Get(ctx, "/v1/lab", nil, &l)
			return l, err
		}) {
			if answer.Err != nil {
				fmt.Fprintln(os.Stderr, "uswitch:", words.Text(words.In, answer.Err))
				continue
			}
			labs = append(labs, answer.Said)
		}
		return show(*format, labs, func() error { return view.Labs(os.Stdout, labs) })
	}
	return c
}

// show prints a table as text or as JSON.
func show(format string, rows any, text func() error) error {
	switch format {
	case "text":
		return text()
	case "json":
		return view.JSON(os.Stdout, rows)
	}
	return usageError{words.Errorf("-o %s: want text or json", format)}
}

// get asks the lab for a table and prints it.
func get[T any](ctx context.Context, lab *api.Client, path, format string, text func([]T) error) error {
	var rows []T
	if err := lab.Get(ctx, path, nil, &rows); err != nil {
		return err
	}
	return show(format, rows, func() error { return text(rows) })
}

func newLogs() *cobra.Command {
	var q api.LogQuery
	var times bool
	var last string
	c := &cobra.Command{
		Use:   "logs [HOST ...]",
		Short: "Show what the hosts' commands have written",
		Long: `Shows what the commands of the hosts have written, all hosts' or those of the ones that are named. Of each host the
last 256 KiB are remembered, through as many runs of its command as there were.`,
		Example:           "  uswitch logs --tail 10",
		GroupID:           groupLook,
		ValidArgsFunction: completeEveryHost,
	}
	f := c.Flags()
	f.BoolVarP(&q.Follow, "follow", "f", false, "go on with what comes")
	f.StringVarP(&last, "tail", "n", "all", "only the last `N` lines of each host")
	f.BoolVarP(&times, "timestamps", "t", false, "say when each line was written")
	return onLab(c, func(_ context.Context, lab *api.Client, args []string) error {
		q.Hosts, q.Tail = args, -1
		if last != "all" {
			var err error
			if q.Tail, err = strconv.Atoi(last); err != nil || q.Tail < 0 {
				return usageError{words.Errorf("logs: --tail %q: want a number of lines, or all", last)}
			}
		}
		ctx, stop := session.Interruptible()
		defer stop()
		_, colour := view.Terminal(os.Stdout)
		return session.Logs(ctx, lab, q, times, colour, os.Stdout)
	})
}

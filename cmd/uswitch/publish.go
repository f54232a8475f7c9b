package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

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

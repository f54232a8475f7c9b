package main

import (
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/serve"
)

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

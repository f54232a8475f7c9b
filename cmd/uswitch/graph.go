package main

import (
	"context"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/graph"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

func newGraph() *cobra.Command {
	c := &cobra.Command{
		Use:   "graph [LAB|FILE]",
		Short: "Draw a lab: as SVG, HTML, Mermaid, DOT or for draw.io",
		Long: `Draws a lab: its hosts with their addresses, its switches, the gateway, and what is beyond. The same lab gives the same
drawing, to the byte. Without LAB it is the lab that is up; a lab that is not up is drawn from its file, and nothing is begun.

Of many hosts, those that are alike - web1, web2, web3 and so on, on the same networks - are one box; --all draws each.`,
		Example: "  uswitch graph red-blue -o mermaid",
		GroupID: groupLook, Args: usage(cobra.MaximumNArgs(1)), ValidArgsFunction: completeBuiltins,
	}
	format := c.Flags().StringP("output", "o", "svg", "write `"+strings.Join(graph.Formats, "|")+"`, or json: the places themselves")
	all := c.Flags().Bool("all", false, "draw every host, however many there are")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(append([]string{"json"}, graph.Formats...), cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, args []string) error {
		if !slices.Contains(graph.Formats, *format) && *format != "json" {
			return usageError{words.Errorf("-o %s: want %s or json", *format, strings.Join(graph.Formats, ", "))}
		}
		lab, end, err := labToDraw(c.Context(), args)
		if err != nil {
			return err
		}
		defer end()
		query := url.Values{}
		if *all {
			query.Set("open", "*")
		}
		var p api.Picture
		if err := lab.Get(c.Context(), "/v1/graph", query, &p); err != nil {
			return err
		}
		if *format == "json" {
			return view.JSON(os.Stdout, p)
		}
		return graph.Write(os.Stdout, &p, *format)
	}
	return c
}

// labToDraw returns the lab that is up, of the given name if there is one, or else one of that name as it would be.
func labToDraw(ctx context.Context, args []string) (lab *api.Client, end func(), err error) {
	if len(args) == 0 {
		lab, err = findLab("")
		return lab, func() {}, err
	}
	if lab := labUp(args); lab != nil {
		return lab, func() {}, nil
	}
	p, err := session.Load(args[0], plan.LoadOptions{}, io.Discard)
	if err != nil {
		return nil, nil, err
	}
	return session.Resting(ctx, p)
}

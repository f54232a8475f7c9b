package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/graph"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/web"
	"uswitch/cmd/internal/words"
)

// pageOptions say where the page is.
type pageOptions struct {
	listen string
	open   bool
}

func (p *pageOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.listen, "listen", web.DefaultListen, "have the page at `ADDRESS`: 127.0.0.1:PORT, 0 for a free one, or unix:PATH")
	c.Flags().BoolVar(&p.open, "open", false, "open it in a browser")
}

// serve answers for a lab's page until end is called, and says where it is.
func (p *pageOptions) serve(ctx context.Context, lab *api.Client) (end func(), err error) {
	where := p.listen
	if where == "" {
		where = web.DefaultListen
	}
	l, port, err := web.Listen(where)
	if err != nil {
		return nil, err
	}
	token := web.NewToken()
	invitation, url := web.Invitation(l, port, token)
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := web.Serve(ctx, l, web.Handler(lab, token, port)); err != nil {
			fmt.Fprintln(os.Stderr, "uswitch:", words.Text(words.In, err))
		}
	}()
	fmt.Fprintf(os.Stderr, "uswitch: lab %s: %s\n", lab.Lab(), invitation)
	if p.open && url != "" {
		if err := web.Open(url); err != nil {
			fmt.Fprintln(os.Stderr, "uswitch:", words.Text(words.In, err))
		}
	}
	return func() { stop(); <-ended }, nil
}

func newWeb() *cobra.Command {
	c := &cobra.Command{
		Use:   "web [LAB|FILE]",
		Short: "The lab in a browser: drawn, with packets to follow step by step",
		Long: `Prints the address of a page on which the lab is drawn and its packets can be followed, stepped through, held and let go; with its
tables, rules and drops beside, questions to it, and a terminal in each host. Without LAB it is the lab that is up; one that is not
up is brought up, and taken down again when the command ends: Ctrl-C.

The page is for this machine alone, and for who has the address: behind # it has a secret that whoever has it can run programs in
the lab with. From another machine use --listen unix:PATH, and the line for ssh that is printed then.`,
		Example: "  uswitch web --sim red-blue",
		GroupID: groupLook, Args: usage(cobra.MaximumNArgs(1)), ValidArgsFunction: completeBuiltins,
	}
	var page pageOptions
	page.flags(c)
	o := session.Options{Trace: "off", Stdout: os.Stdout, Stderr: os.Stderr, Open: page.serve}
	simulate := c.Flags().Bool("sim", false, "run the lab in memory, without privileges and network interfaces")
	rightsFlags(c, &o.Rights)
	c.RunE = func(c *cobra.Command, args []string) error {
		lab := labUp(args)
		if lab == nil && len(args) > 0 {
			return run("web", args[0], plan.LoadOptions{}, o, *simulate, true)
		}
		if lab == nil {
			var err error
			if lab, err = findLab(""); err != nil {
				return err
			}
		}
		ctx, stop := session.Interruptible()
		defer stop()
		end, err := page.serve(ctx, lab)
		if err != nil {
			return err
		}
		defer end()
		return whileUp(ctx, lab)
	}
	return c
}

// whileUp returns when ctx ends, or the lab does.
func whileUp(ctx context.Context, lab *api.Client) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
		if _, err := lab.Now(ctx); err != nil && ctx.Err() == nil {
			return words.Errorf("the page has ended: %w", err)
		}
	}
}

// labUp returns the lab that is up by the name that was given; nil if there is none.
func labUp(args []string) *api.Client {
	for _, up := range api.Up() {
		if len(args) > 0 && up.Lab() == args[0] {
			return up
		}
	}
	return nil
}

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

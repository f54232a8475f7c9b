package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
)

func newReach() *cobra.Command {
	c := &cobra.Command{
		Use:   "reach",
		Short: "Say who reaches whom, and for each no its reason",
		Long: `Say who reaches whom, and for each no its reason. Every host pings every other, the gateway and the outside, and tries
every port on which somebody listens or that is published; so does somebody outside. All of it is predicted on copies of the
lab; then a real packet for each question is sent from inside the host that asks it, and that decides. "!" stands where it
contradicts the prediction. With --no-send nothing is sent.`,
		Example: "  uswitch reach -o svg",
		GroupID: groupLook, Args: usage(cobra.NoArgs),
	}
	formats := []string{"text", "json", "svg", "html"}
	format := c.Flags().StringP("output", "o", "text", "print `text, json, svg or html`")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	outside := c.Flags().String("outside", "8.8.8.8", "the `ADDRESS` outside that hosts try to ping")
	noSend := c.Flags().Bool("no-send", false, "only predict: send nothing, change nothing in the lab")
	return onLab(c, func(ctx context.Context, lab *api.Client, _ []string) error {
		a, err := netip.ParseAddr(*outside)
		if err != nil || !a.Is4() {
			return usageError{fmt.Errorf("--outside %s: want an IPv4 address", *outside)}
		}
		m := new(api.Matrix)
		write := map[string]func() error{
			"text": func() error { return view.Matrix(os.Stdout, m) },
			"json": func() error { return view.JSON(os.Stdout, m) },
			"svg":  func() error { return view.MatrixSVG(os.Stdout, m) },
			"html": func() error { return view.MatrixHTML(os.Stdout, m) },
		}[*format]
		if write == nil {
			return usageError{fmt.Errorf("-o %s: want text, json, svg or html", *format)}
		}
		if err := lab.Get(ctx, "/v1/reach", api.ReachQuery{Outside: a, Send: !*noSend}.Query(), m); err != nil {
			return err
		}
		return write()
	})
}

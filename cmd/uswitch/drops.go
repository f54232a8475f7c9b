package main

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

func newDrops() *cobra.Command {
	c := &cobra.Command{
		Use:   "drops [-f]",
		Short: "What was dropped and why, with the last packet of each reason",
		Long: `Lists the reasons for which packets were dropped since the lab began, how many there were, and the last one of each:
also of those that were dropped before anybody asked. With -f it prints drops as they happen, until Ctrl-C; those that
are alike are counted.`,
		Example: "  uswitch drops",
		GroupID: groupLook,
		Args:    usage(cobra.NoArgs),
	}
	follow := c.Flags().BoolP("follow", "f", false, "print drops as they happen")
	format := output(c)
	return onLab(c, func(ctx context.Context, lab *api.Client, _ []string) error {
		if *format != "text" && *format != "json" {
			return usageError{words.Errorf("-o %s: want text or json", *format)}
		}
		if *follow {
			return followDrops(lab, *format)
		}
		var rows []api.Drop
		if err := lab.Get(ctx, "/v1/drops", url.Values{"examples": {"1"}}, &rows); err != nil {
			return err
		}
		now, err := lab.Now(ctx)
		if err != nil {
			return err
		}
		width, _ := view.Terminal(os.Stdout)
		return show(*format, rows, func() error { return view.DropExamples(os.Stdout, rows, now, width) })
	})
}

func followDrops(lab *api.Client, format string) error {
	ctx, stop := session.Interruptible()
	defer stop()
	answer, err := lab.Follow(ctx, "/v1/drops", url.Values{"follow": {"1"}})
	if err != nil {
		return err
	}
	defer answer.Close()
	if format == "json" {
		_, err := io.Copy(os.Stdout, answer)
		return session.StreamEnd(ctx, lab.Lab(), err)
	}
	for decoder := json.NewDecoder(answer); ; {
		var e api.DropEvent
		err := decoder.Decode(&e)
		if err == nil {
			err = view.DropEvent(os.Stdout, e)
		}
		if err != nil {
			return session.StreamEnd(ctx, lab.Lab(), err)
		}
	}
}

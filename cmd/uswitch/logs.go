package main

import (
	"context"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

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

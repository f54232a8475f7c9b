package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/check"
	"uswitch/cmd/internal/lab"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/view"
)

// cannotCheck is the exit status where some check could not be made.
const cannotCheck = 2

func newCheck() *cobra.Command {
	c := &cobra.Command{
		Use:   "check LAB|FILE",
		Short: "Say whether everything holds that a lab file says must hold",
		Long: `Makes the checks of a lab file (x-uswitch.checks), and says of each that fails why it does, and what would mend it. The lab
is brought up for it, and down again; if a lab of that name is up, that one is checked.

The exit status is 0 if all hold, 1 if some do not, and 2 if none is known to fail but some could not be made.`,
		Example: "  uswitch check red-blue",
		GroupID: groupLab, Args: usage(cobra.ExactArgs(1)), ValidArgsFunction: completeBuiltins,
	}
	var load lab.LoadOptions
	var simulate bool
	formats := []string{"text", "json", "junit"}
	format := c.Flags().StringP("output", "o", "text", "print `text, json or junit`")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().BoolVar(&simulate, "sim", false, "bring the lab up in memory, without privileges and network cards")
	c.Flags().StringVar(&load.Name, "name", "", "call the lab `NAME`, in place of what its file says")
	c.Flags().StringVar(&load.Uplink, "uplink", "", "take `UPLINK` for the way out, in place of the file's")
	c.RunE = func(c *cobra.Command, args []string) error {
		write := map[string]func(*check.Report, io.Writer) error{
			"text":  (*check.Report).WriteText,
			"json":  func(r *check.Report, out io.Writer) error { return view.JSON(out, r) },
			"junit": (*check.Report).WriteJUnit,
		}[*format]
		if write == nil {
			return usageError{fmt.Errorf("-o %s: want text, json or junit", *format)}
		}
		report, err := checked(c, args[0], load, simulate)
		if err == nil {
			err = write(report, os.Stdout)
		}
		if err != nil {
			return withStatus{err, cannotCheck}
		}
		return exit(report.Status())
	}
	return c
}

func checked(c *cobra.Command, name string, load lab.LoadOptions, simulate bool) (*check.Report, error) {
	plan, err := session.Load(name, load, os.Stderr)
	if err != nil {
		return nil, err
	}
	if len(plan.Checks) == 0 {
		return nil, fmt.Errorf("%s: it has no checks: x-uswitch.checks says what must hold", plan.Source)
	}
	return check.OfPlan(c.Context(), plan, simulate, os.Stderr)
}

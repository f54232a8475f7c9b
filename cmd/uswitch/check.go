package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/teach/breakage"
	"uswitch/cmd/internal/teach/check"
	"uswitch/cmd/internal/teach/state"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
)

// cannotCheck is the exit status where some check could not be made.
const cannotCheck = 2

func newCheck() *cobra.Command {
	c := &cobra.Command{
		Use:   "check [LAB|FILE]",
		Short: "Say whether everything holds that a lab file says must hold",
		Long: `Makes the checks of a lab file (x-uswitch.checks), and says of each that fails why it does, and what would mend it. The lab
is brought up for it, and down again; if a lab of that name is up, that one is checked. Without a file, or with the name
of a lab that is up, it is that one. Where uswitch break has broken something, it says whether all is as it was before that.

A check has a name and one of these forms (YAML):
  {name, from: HOST|outside, to: ADDRESS|HOST|gateway|NAME, tcp|udp: PORT,
   size, df}                 is answered
     not: true, reason: NAME is not answered, for that reason: policy-drop,
                             no-socket ...
     rule: TEXT              some rule on the way has this in it
     path: [{way: question|answer, at, hook, rule, becomes, reason,
             result: allow|drop|wait|answer}, ...]
                             passes these steps of uswitch explain, in order
  {name, table: TABLE, has, lacks}
                             of fdb, neigh, routes, rules, conntrack, hosts,
                             networks, ports, published and drops
  {name, command: LINE, host: HOST, status: N|not 0, has, lacks}
                             without host, the command runs beside the lab

Of the first form, a real packet is sent from inside HOST, and that decides: first every question is predicted, every table read
and every command run, in the order of the file; then the packets are sent, side by side. From outside nothing can be sent:
there the prediction decides, as it does everywhere with --no-send. Commands run in any case.

has and lacks are a text or several, each of which some line must have in it, or none may.

The exit status is 0 if all hold, 1 if some do not, and 2 if none is known to fail but some could not be made.`,
		Example: "  uswitch check red-blue",
		GroupID: groupLab, Args: usage(cobra.MaximumNArgs(1)), ValidArgsFunction: completeBuiltins,
	}
	var load plan.LoadOptions
	var rights session.Rights
	o := check.Options{Messages: os.Stderr}
	formats := []string{"text", "json", "junit"}
	format := c.Flags().StringP("output", "o", "text", "print `text, json or junit`")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	c.Flags().BoolVar(&o.NoSend, "no-send", false, "send no packet for a question: what is predicted of it decides, and the report says so")
	c.Flags().BoolVar(&o.Simulated, "sim", false, "bring the lab up in memory, without privileges and network interfaces")
	rightsFlags(c, &rights)
	c.Flags().StringVar(&load.Name, "name", "", "call the lab `NAME`, in place of what its file says")
	fileFlags(c.Flags(), &load)
	c.Flags().StringVar(&load.Uplink, "uplink", "", "take `UPLINK` for the way out, in place of the file's")
	c.RunE = func(c *cobra.Command, args []string) error {
		write := map[string]func(*check.Report, io.Writer) error{
			"text":  (*check.Report).WriteText,
			"json":  func(r *check.Report, out io.Writer) error { return view.JSON(out, r) },
			"junit": (*check.Report).WriteJUnit,
		}[*format]
		if write == nil {
			return usageError{words.Errorf("-o %s: want text, json or junit", *format)}
		}
		report, err := checked(c.Context(), args, load, session.BesideWith(&rights), o)
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

// checked makes the checks of a lab file, or those of a lab in which something was broken.
func checked(ctx context.Context, args []string, load plan.LoadOptions, bring check.Bring, o check.Options) (*check.Report, error) {
	if len(args) == 0 {
		up, err := findLab("")
		if err != nil {
			return nil, err
		}
		return checkedUp(ctx, up, o)
	}
	p, err := session.Load(args[0], load, os.Stderr)
	if err != nil {
		if up := upAs(args[0]); up != nil {
			return checkedUp(ctx, up, o)
		}
		return nil, err
	}
	for _, up := range api.Up() {
		if up.Lab() != p.Name {
			continue
		}
		if report, err := checkedBroken(ctx, up, o); report != nil || err != nil {
			return report, err
		}
	}
	report, err := check.OfPlan(ctx, bring, p, o)
	return report, orSimulated(err, "check", args[0])
}

// upAs returns the lab that is up under a name that is not a file's; nil: there is none.
func upAs(name string) *api.Client {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	for _, up := range api.Up() {
		if up.Lab() == name {
			return up
		}
	}
	return nil
}

// checkedUp makes the checks of a lab that is up.
func checkedUp(ctx context.Context, up *api.Client, o check.Options) (*check.Report, error) {
	report, err := checkedBroken(ctx, up, o)
	if err == nil && report == nil {
		report, err = check.Up(ctx, up, o)
	}
	return report, err
}

// checkedBroken says whether what was broken is mended, and if so forgets that it was broken. It returns nil if nothing was.
func checkedBroken(ctx context.Context, up *api.Client, o check.Options) (*check.Report, error) {
	dir, err := state.Dir(os.Getenv)
	if err != nil {
		return nil, nil // nothing was ever kept
	}
	broken, err := breakage.Load(ctx, dir, up)
	if broken == nil || err != nil {
		return nil, err
	}
	subject, err := check.NewLive(up)
	if err != nil {
		return nil, err
	}
	subject.NoSend = o.NoSend
	report := broken.Check(ctx, subject)
	if report.Status() == 0 {
		fmt.Fprintln(os.Stderr, "uswitch: "+words.In("it is mended"))
		err = broken.Forget(dir)
	}
	return report, err
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/hosttool"
	"uswitch/nat/rule"
)

// rulesTool is the command that edits the rules of one family.
type rulesTool struct {
	name   string
	family rule.Family
	of     string // what the help says of the rules
}

var rulesTools = []rulesTool{{"iptables", rule.IPv4, ""}, {"ip6tables", rule.IPv6, " of IPv6"}}

// query is what the control socket is told of the family.
func (t rulesTool) query() url.Values {
	q := url.Values{}
	if t.family == rule.IPv6 {
		q.Set("family", "6")
	}
	return q
}

func (t rulesTool) edit() *cobra.Command {
	c := &cobra.Command{
		Use:   t.name + " [-t TABLE] COMMAND ...",
		Short: "The gateway's rules" + t.of + ", in " + t.name + "' language",
		Long: "Takes the words of " + t.name + ` as any tutorial has them, for the gateway of the lab. With several labs up, say which
with USWITCH_LAB=NAME in front, or --lab NAME as the first words.`,
		Example:            "  uswitch " + t.name + " -t nat -S",
		GroupID:            groupChange,
		DisableFlagParsing: true,
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 1 && (args[0] == "-h" || args[0] == "--help") {
			return c.Help()
		}
		name, args := labFirst(args)
		warn(rule.Warnings(t.family, args))
		return withLabOrPlan(c.Context(), name, func(ctx context.Context, lab hosttool.Lab) error {
			if rule.OnlyLooks(t.family, args) {
				lab = looking(lab)
			}
			var answer api.IptablesAnswer
			err := lab.Do(ctx, http.MethodPost, "/v1/iptables", t.query(), api.IptablesRequest{Args: args}, &answer)
			fmt.Print(answer.Output)
			return toolError(err)
		})
	}
	return c
}

// warn writes what iptables writes of rules that it takes all the same.
func warn(lines []string) {
	for _, line := range lines {
		fmt.Fprintln(os.Stderr, line)
	}
}

// labFirst takes --lab NAME off the front of a command line that belongs to another tool.
func labFirst(args []string) (name string, rest []string) {
	if len(args) >= 2 && args[0] == "--lab" {
		return args[1], args[2:]
	}
	return "", args
}

func (t rulesTool) save() *cobra.Command {
	c := &cobra.Command{
		Use:     t.name + "-save",
		Short:   "Print the rules" + t.of + " as " + t.name + "-restore reads them",
		Example: "  uswitch " + t.name + "-save",
		GroupID: groupChange,
		Args:    usage(cobra.NoArgs),
	}
	counters := c.Flags().BoolP("counters", "c", false, "with the rules' counters")
	table := c.Flags().StringP("table", "t", "", "only `TABLE`: filter, mangle, nat or raw")
	return onLabOrPlan(c, func(ctx context.Context, lab hosttool.Lab) error {
		q := t.query()
		if *counters {
			q.Set("counters", "1")
		}
		if *table != "" {
			q.Set("table", *table)
		}
		var text string
		err := lab.Get(ctx, "/v1/iptables-save", q, &text)
		fmt.Print(text)
		return toolError(err)
	})
}

func (t rulesTool) restore() *cobra.Command {
	var o api.RestoreOptions
	c := &cobra.Command{
		Use:     t.name + "-restore [FILE]",
		Short:   "Replace all rules" + t.of + " or none by those of standard input or FILE",
		Example: "  uswitch " + t.name + "-save | uswitch " + t.name + "-restore",
		GroupID: groupChange,
		Args:    usage(cobra.MaximumNArgs(1)),
	}
	c.Flags().BoolVarP(&o.NoFlush, "noflush", "n", false, "add to the rules that are there")
	c.Flags().BoolVarP(&o.Counters, "counters", "c", false, "take over the counters")
	c.Flags().BoolVarP(&o.Test, "test", "t", false, "check, and change nothing")
	c.Flags().StringVarP(&o.Table, "table", "T", "", "only `TABLE` of the input")
	return onLab(c, func(ctx context.Context, lab *api.Client, args []string) error {
		input := io.Reader(os.Stdin)
		if len(args) == 1 {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			input = file
		}
		text, err := io.ReadAll(input)
		if err != nil {
			return err
		}
		warn(rule.RestoreWarnings(t.family, string(text)))
		q := o.Query()
		for key, values := range t.query() {
			q[key] = values
		}
		return toolError(lab.Do(ctx, http.MethodPost, "/v1/iptables-restore", q, bytes.NewReader(text), nil))
	})
}

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

func newIptables() *cobra.Command {
	c := &cobra.Command{
		Use:   "iptables [-t TABLE] COMMAND ...",
		Short: "The gateway's rules, in iptables' language",
		Long: `Takes the words of iptables as any tutorial has them, for the gateway of the lab. With several labs up, say which
with USWITCH_LAB=NAME in front, or --lab NAME as the first words.`,
		Example:            "  uswitch iptables -t nat -S",
		GroupID:            groupChange,
		DisableFlagParsing: true,
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 1 && (args[0] == "-h" || args[0] == "--help") {
			return c.Help()
		}
		name, args := labFirst(args)
		warn(rule.Warnings(rule.IPv4, args))
		return withLabOrPlan(c.Context(), name, func(ctx context.Context, lab hosttool.Lab) error {
			if rule.OnlyLooks(rule.IPv4, args) {
				lab = looking(lab)
			}
			var answer api.IptablesAnswer
			err := lab.Do(ctx, http.MethodPost, "/v1/iptables", nil, api.IptablesRequest{Args: args}, &answer)
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

func newIptablesSave() *cobra.Command {
	c := &cobra.Command{
		Use:     "iptables-save",
		Short:   "Print the rules as iptables-restore reads them",
		Example: "  uswitch iptables-save",
		GroupID: groupChange,
		Args:    usage(cobra.NoArgs),
	}
	counters := c.Flags().BoolP("counters", "c", false, "with the rules' counters")
	table := c.Flags().StringP("table", "t", "", "only `TABLE`: filter, mangle, nat or raw")
	return onLabOrPlan(c, func(ctx context.Context, lab hosttool.Lab) error {
		q := url.Values{}
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

func newIptablesRestore() *cobra.Command {
	var o api.RestoreOptions
	c := &cobra.Command{
		Use:     "iptables-restore [FILE]",
		Short:   "Replace all rules or none by those of standard input or FILE",
		Example: "  uswitch iptables-save | uswitch iptables-restore",
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
		warn(rule.RestoreWarnings(rule.IPv4, string(text)))
		return toolError(lab.Do(ctx, http.MethodPost, "/v1/iptables-restore", o.Query(), bytes.NewReader(text), nil))
	})
}

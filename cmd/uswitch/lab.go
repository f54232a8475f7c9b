package main

import (
	"context"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control"
)

// onLab makes a command one that acts on a lab that is up: it gets the option --lab, and the lab's client when it runs.
func onLab(c *cobra.Command, run func(ctx context.Context, lab *control.Client, args []string) error) *cobra.Command {
	name := labFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		lab, err := control.Find(*name)
		if err != nil {
			return err
		}
		return run(c.Context(), lab, args)
	}
	return c
}

// labFlag is the option --lab.
func labFlag(c *cobra.Command) *string {
	name := c.Flags().String("lab", "", "act on lab `NAME`; needed only if several are up (or set USWITCH_LAB)")
	_ = c.RegisterFlagCompletionFunc("lab", completeLabs)
	return name
}

// output is the option -o of commands that can print JSON too.
func output(c *cobra.Command) *string {
	format := c.Flags().StringP("output", "o", "text", "print `text|json`")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return format
}

package main

import (
	"cmp"
	"context"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/words"
)

// onLab makes a command one that acts on a lab that is up: it gets the option --lab, and the lab's client when it runs.
func onLab(c *cobra.Command, run func(ctx context.Context, lab *api.Client, args []string) error) *cobra.Command {
	name := labFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		lab, err := findLab(*name)
		if err != nil {
			return err
		}
		return run(c.Context(), lab, args)
	}
	return c
}

// findLab finds the lab that a command acts on: see api.Find.
func findLab(name string) (*api.Client, error) {
	if name = cmp.Or(name, os.Getenv("USWITCH_LAB")); name != "" {
		if err := plan.ValidateName("lab name", name); err != nil {
			return nil, err
		}
	}
	return api.Find(name)
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

// offloadVariable says what --offload is where it is not given, for whoever wants every lab of a machine one way.
const offloadVariable = "USWITCH_OFFLOAD"

// plain reads --offload, and reports whether every frame has to be as on a wire.
func plain(flag string) (bool, error) {
	switch value := cmp.Or(flag, os.Getenv(offloadVariable), "on"); {
	case value == "on":
		return false, nil
	case value == "off":
		return true, nil
	case flag != "":
		return false, usageError{words.Errorf("--offload %s: want on or off", value)}
	default:
		return false, words.Errorf("%s=%s in the environment: want on or off", offloadVariable, value)
	}
}

package main

import (
	"cmp"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/dockerhost"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/view"
)

func newCompare() *cobra.Command {
	c := &cobra.Command{
		Use:     "compare",
		Short:   "Say what another program would make of a lab",
		Example: "  uswitch compare docker web",
		GroupID: groupLook,
		Args:    knownCommand,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newCompareDocker())
	return c
}

func newCompareDocker() *cobra.Command {
	c := &cobra.Command{
		Use:   "docker LAB|FILE",
		Short: "Say what Docker would have put on a machine",
		Long: `Says what Docker would have put on a machine for a lab: the bridges, a veth for each container, addresses, and the
rules as iptables-save prints them. It needs no Docker, no privileges and no lab that is up: compare it with a Docker of
your own. Networks without a subnet get the first of Docker's that is free in the lab; routes of this machine are not
looked at. A lab with x-uswitch: {docker_rules: classic} begins with these very rules.`,
		Example:           "  uswitch compare docker web --dialect 29",
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: completeBuiltins,
	}
	dialect := c.Flags().String("dialect", "", "print the rules of Docker `20.10|classic|29`, classic being 28's; the lab's docker_rules, or else classic")
	_ = c.RegisterFlagCompletionFunc("dialect", cobra.FixedCompletions(firewall.Dialects(), cobra.ShellCompDirectiveNoFileComp))
	var load plan.LoadOptions
	fileFlags(c.Flags(), &load)
	format := output(c)
	c.RunE = func(_ *cobra.Command, args []string) error {
		if *dialect != "" { // a mistake in it is told before those of the file
			if _, err := firewall.ParseDialect(*dialect); err != nil {
				return usageError{err}
			}
		}
		p, err := session.Read(args[0], load, os.Stderr)
		if err != nil {
			return err
		}
		d, err := firewall.ParseDialect(cmp.Or(*dialect, p.DockerRules, firewall.Classic.String()))
		if err != nil {
			return err
		}
		h, err := dockerhost.Describe(p, d)
		if err != nil {
			return err
		}
		return show(*format, h, func() error { return view.DockerHost(os.Stdout, h) })
	}
	return c
}

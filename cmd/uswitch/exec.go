package main

import (
	"context"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/words"
)

func newExec() *cobra.Command {
	c := &cobra.Command{
		Use:               "exec HOST [--] PROGRAM [ARGUMENT ...]",
		Short:             "Run a program inside a host",
		Long:              "Runs a program of this machine inside a host's network namespace and exits with its status.\nIn a lab in memory (--sim) the programs are uswitch's own, by the names of the real ones: ping, curl, ip, sh ...",
		Example:           "  uswitch exec RED -- ip addr",
		GroupID:           groupLab,
		Args:              usage(cobra.MinimumNArgs(2)),
		ValidArgsFunction: completeHosts,
	}
	c.Flags().SetInterspersed(false)
	return onLab(c, func(ctx context.Context, lab *api.Client, args []string) error {
		program := args[1:]
		if program[0] == "--" {
			program = program[1:]
		}
		if len(program) == 0 {
			return usageError{words.Errorf("exec: want a program to run")}
		}
		status, err := session.Exec(ctx, lab, args[0], program)
		return failed(status, err)
	})
}

func newShell() *cobra.Command {
	return onLab(&cobra.Command{
		Use:               "shell HOST",
		Short:             "Open a shell inside a host",
		Long:              "Opens your shell (SHELL) inside a host's network namespace; the prompt begins with the host's name.\nIn a lab in memory (--sim) it is a small sh of uswitch's own.",
		Example:           "  uswitch shell RED",
		GroupID:           groupLab,
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: completeHosts,
	}, func(ctx context.Context, lab *api.Client, args []string) error {
		status, err := session.Shell(ctx, lab, args[0])
		return failed(status, err)
	})
}

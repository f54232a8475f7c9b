package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func newCompletion() *cobra.Command {
	return &cobra.Command{
		Use:       "completion bash|zsh|fish",
		Short:     "Print a script that completes commands, labs and hosts in your shell",
		Long:      "Prints a completion script. In bash: source <(uswitch completion bash)",
		Example:   "  uswitch completion bash",
		GroupID:   groupLab,
		ValidArgs: []string{"bash", "zsh", "fish"},
		Args:      usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(os.Stdout, true)
			case "zsh":
				return c.Root().GenZshCompletion(os.Stdout)
			case "fish":
				return c.Root().GenFishCompletion(os.Stdout, true)
			}
			return usageError{fmt.Errorf("completion %s: want bash, zsh or fish", args[0])}
		},
	}
}

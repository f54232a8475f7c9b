package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/words"
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
			return usageError{words.Errorf("completion %s: want bash, zsh or fish", args[0])}
		},
	}
}

// completeLabs offers the labs that are up.
func completeLabs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, c := range api.Up() {
		names = append(names, c.Lab())
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completeBuiltins offers the labs that come with uswitch, beside files.
func completeBuiltins(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	for _, b := range plan.Builtins() {
		names = append(names, b.Name+"\t"+b.About)
	}
	return names, cobra.ShellCompDirectiveDefault
}

// completeHosts offers the hosts of the lab that the command acts on, for its first argument.
func completeHosts(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return hostNames(c), cobra.ShellCompDirectiveNoFileComp
}

// completeEveryHost offers hosts for every argument.
func completeEveryHost(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return hostNames(c), cobra.ShellCompDirectiveNoFileComp
}

func hostNames(c *cobra.Command) []string {
	name, _ := c.Flags().GetString("lab")
	client, err := findLab(name)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var hosts []api.Host
	if client.Get(ctx, "/v1/hosts", nil, &hosts) != nil {
		return nil
	}
	var names []string
	for _, h := range hosts {
		names = append(names, h.Name)
	}
	return names
}

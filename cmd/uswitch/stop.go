package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/words"
)

func newStop() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:               "stop [LAB]",
		Short:             "Take a lab down",
		Long:              "Ends the commands of a lab's hosts, removes everything that was made for it, and waits until that is done.",
		Example:           "  uswitch stop",
		GroupID:           groupLab,
		Args:              usage(cobra.MaximumNArgs(1)),
		ValidArgsFunction: completeLabs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && name != "" {
				return usageError{words.Errorf("stop: %s and --lab %s: want one of them", args[0], name)}
			}
			lab, err := findLab(append(args, name)[0])
			if err != nil {
				return err
			}
			return session.Stop(c.Context(), lab)
		},
	}
	c.Flags().StringVar(&name, "lab", "", "stop lab `NAME`, as other commands have it")
	_ = c.RegisterFlagCompletionFunc("lab", completeLabs)
	return c
}

func newCleanup() *cobra.Command {
	return &cobra.Command{
		Use:   "cleanup",
		Short: "Remove what labs left behind whose process was killed",
		Long: `Removes namespaces, sockets and locks of labs whose process is gone. It goes by the mark that each lab's
process has put on what it made, and touches nothing else; labs that are up are left alone.`,
		Example: "  uswitch cleanup",
		GroupID: groupLab,
		Args:    usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			did, err := session.Cleanup()
			for _, line := range did {
				fmt.Println(line)
			}
			if len(did) == 0 && err == nil {
				fmt.Println("nothing was left behind")
			}
			return err
		},
	}
}

package main

import (
	"embed"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/words"
)

// topics are the texts that help tells besides the help of each command, one a file. The first line of each is what it is
// about.
//
//go:embed topics/*.txt
var topics embed.FS

// topicNames are their names, in the order in which a reader may want them.
var topicNames = []string{"lessons", "tutorials", "labs", "lab-files", "uplinks", "machines", "rules", "traces", "questions", "api", "translate", "speed", "limits"}

// topic returns the text of a topic, empty if there is none of that name.
func topic(name string) string {
	text, err := topics.ReadFile("topics/" + name + ".txt")
	if err != nil {
		return ""
	}
	return string(text)
}

// topicList lists the topics with what they are about, as the commands are listed.
func topicList() string {
	var list strings.Builder
	for _, name := range topicNames {
		about, _, _ := strings.Cut(topic(name), "\n")
		fmt.Fprintf(&list, "  %-16s %s\n", name, about)
	}
	return list.String()
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND ... | TOPIC]",
		Short:   "Tell about a command, or about a topic",
		Long:    "Tells about a command, or about a topic:\n" + topicList(),
		Example: "  uswitch help limits",
		GroupID: groupLab,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return topicNames, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && topic(args[0]) != "" {
				_, err := fmt.Fprint(c.OutOrStdout(), topic(args[0]))
				return err
			}
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usageError{words.Errorf("help %s: there is no such command, and no such topic; topics: %s",
					strings.Join(args, " "), strings.Join(topicNames, ", "))}
			}
			return about.Help()
		},
	}
}

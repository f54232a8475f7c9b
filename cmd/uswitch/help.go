package main

import (
	"embed"
	"fmt"
	"regexp"
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

// columns is how wide help is: that of a terminal that nobody has made wider.
const columns = 80

// widest is the widest first column of a table beside which the second has room enough to go on in its own place.
const widest = 48

// row is a line of a table: two spaces or more, a word or several, a gap of two spaces or more.
var row = regexp.MustCompile(`^( +\S(?:\S| \S)*  +)\S`)

// fit breaks a text into lines of at most 80 columns. Lines that begin at the margin are a paragraph, and flow together; one
// that is indented stands for itself, and what does not fit goes on below its last column. Lines that fit stay as they are.
func fit(text string) string {
	var out strings.Builder
	var paragraph []string
	flow := func() {
		wrap(&out, strings.Join(paragraph, " "), "", "")
		paragraph = nil
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if line != "" && line[0] != ' ' {
			paragraph = append(paragraph, line)
			continue
		}
		flow()
		if len(line) <= columns {
			out.WriteString(line + "\n")
			continue
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		head := indent
		if m := row.FindStringSubmatch(line); m != nil && len(m[1]) <= widest {
			head = m[1]
		}
		below := strings.Repeat(" ", len(head))
		if head == indent {
			below += "  "
		}
		wrap(&out, line[len(head):], head, below)
	}
	flow()
	return out.String()
}

// wrap writes words behind a head, and what does not fit on lines of its own.
func wrap(out *strings.Builder, text, head, below string) {
	if text == "" {
		return
	}
	line, empty := head, true
	for word := range strings.FieldsSeq(text) {
		switch {
		case empty:
			line += word
		case len(line)+1+len(word) > columns:
			out.WriteString(line + "\n")
			line = below + word
		default:
			line += " " + word
		}
		empty = false
	}
	out.WriteString(line + "\n")
}

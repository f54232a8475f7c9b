package check

import (
	"fmt"
	"strings"

	"uswitch/cmd/internal/plan"
)

// Words returns a check as people say it.
func Words(c *plan.Check) string {
	switch {
	case c.Ask != nil:
		return askWords(c.Ask)
	case c.Table != nil:
		return "the table " + c.Table.Name + " " + strings.Join(matchWords(c.Table.Match), " and ")
	case c.Command != nil:
		where := ""
		if c.Command.Host != "" {
			where = " in " + c.Command.Host
		}
		status := fmt.Sprintf("ends with status %d", c.Command.Status)
		if c.Command.Status < 0 {
			status = "fails"
		}
		return "`" + strings.Join(c.Command.Argv, " ") + "`" + where + " " +
			strings.Join(append([]string{status}, matchWords(c.Command.Match)...), " and ")
	}
	return ""
}

func askWords(a *plan.AskCheck) string {
	verb := "reaches"
	if a.Not {
		verb = "does not reach"
	}
	text := fmt.Sprintf("%s %s %s", a.From, verb, a.To)
	if a.Protocol != "icmp" {
		text += fmt.Sprintf(" %s %d", a.Protocol, a.Port)
	}
	if a.Size > 0 {
		text += fmt.Sprintf(" with %d bytes", a.Size)
	}
	if a.DF {
		text += " in one piece"
	}
	if a.Reason != "" {
		text += " because of " + a.Reason
	}
	if a.Rule != "" {
		text += " by " + a.Rule
	}
	for i, hop := range a.Path {
		text += map[bool]string{true: ", by ", false: ", then "}[i == 0] + hopWords(hop)
	}
	return text
}

func hopWords(h plan.Hop) string {
	var words []string
	for _, w := range []struct{ prefix, text string }{{"the ", h.Way}, {"at ", h.At}, {"", h.Hook}, {"", h.Result}, {"for ", h.Reason},
		{"rule ", h.Rule}, {"becoming ", h.Becomes}} {
		if w.text != "" {
			words = append(words, w.prefix+w.text)
		}
	}
	return strings.Join(words, " ")
}

// matchWords lists what must be in a text and what must not.
func matchWords(m plan.Match) []string {
	var words []string
	if len(m.Has) > 0 {
		words = append(words, "has "+strings.Join(m.Has, " and "))
	}
	if len(m.Lacks) > 0 {
		words = append(words, "lacks "+strings.Join(m.Lacks, " and "))
	}
	return words
}

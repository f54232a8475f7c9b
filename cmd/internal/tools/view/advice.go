package view

import (
	"fmt"
	"io"
	"strings"
	"uswitch/cmd/internal/control/api"
)

// WriteAdvice writes advice for a person.
func Advice(out io.Writer, a *api.Advice) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s asks %s: %s\n", a.Question.From, a.Question.To, a.Question.What())
	for i, r := range a.Steps {
		fmt.Fprintf(&b, "\n%d. (%s)\n", i+1, r.Reason)
		for _, l := range wrap(r.Because, width-4) {
			fmt.Fprintln(&b, "    "+l)
		}
		if r.Rule != nil {
			fmt.Fprintf(&b, "    by %s\n", r.Rule)
		}
		for _, l := range wrap("Try: "+r.Text, width-4) {
			fmt.Fprintln(&b, "    "+l)
		}
		if r.Command != "" {
			fmt.Fprintln(&b, "        "+r.Command)
		}
	}
	if a.Rest != nil {
		fmt.Fprintf(&b, "\n%d. (%s) at %s %s, %s\n", len(a.Steps)+1, a.Rest.Reason, a.Rest.Where, a.Rest.Type, a.Rest.Way)
	}
	fmt.Fprintln(&b)
	for _, l := range wrap(a.Sentence, width) {
		fmt.Fprintln(&b, l)
	}
	if a.Unknown != "" {
		fmt.Fprintf(&b, "(%s)\n", a.Unknown)
	}
	if len(a.Look) > 0 {
		fmt.Fprintln(&b, "What was not looked at is shown by")
	}
	for _, command := range a.Look {
		fmt.Fprintln(&b, "    "+command)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

package check

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"uswitch/switch/trace"
)

// marks stand in front of an outcome, so that a column of them is seen at a glance.
var marks = map[State]string{Holds: "ok", Fails: "FAILS", Unknown: "?"}

// WriteText writes a report for a person: a line for each check, below it what is wrong and what would mend it, and at the
// end how many there are of each.
func (r *Report) WriteText(out io.Writer) error {
	var b strings.Builder
	wide := 0
	for _, o := range r.Outcomes {
		wide = max(wide, utf8.RuneCountInString(o.Name))
	}
	for i := range r.Outcomes {
		r.Outcomes[i].write(&b, wide)
	}
	fmt.Fprintf(&b, "%s: %d hold, %d fail, %d could not be checked\n", r.Lab, r.Count(Holds), r.Count(Fails), r.Count(Unknown))
	_, err := io.WriteString(out, b.String())
	return err
}

func (o *Outcome) write(b *strings.Builder, wide int) {
	fmt.Fprintf(b, "%-6s %-*s  %s\n", marks[o.State], wide, o.Name, trace.Printable(o.What))
	switch {
	case o.State == Holds && o.Sent != nil && o.Sent.Differs:
		detail(b, "", "the prediction, "+string(o.Sent.Tried)+", was wrong")
	case o.Why == "": // somebody is to find out
	case o.State == Fails:
		detail(b, "", o.Why)
	case o.State == Unknown:
		detail(b, "could not check: ", o.Why)
	}
	if o.Rule != nil {
		detail(b, "rule  ", o.Rule.Text)
	}
	for _, line := range o.Remedy {
		detail(b, "try   ", line)
	}
	for line := range strings.Lines(o.Output) {
		detail(b, "| ", strings.TrimSuffix(line, "\n"))
	}
}

func detail(b *strings.Builder, label, text string) {
	fmt.Fprintf(b, "       %s%s\n", label, trace.Printable(text))
}

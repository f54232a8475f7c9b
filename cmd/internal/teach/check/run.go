package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan"
)

// Run makes checks. First all tables are read, all commands run and all questions predicted, one after the other; then a real
// packet is sent for each question, which changes the lab, and decides. What a check needs and cannot have makes it Unknown,
// and the others go on.
func Run(ctx context.Context, s Subject, name string, checks []plan.Check) *Report {
	r := &Report{Lab: name, Outcomes: []Outcome{}}
	for i := range checks {
		r.Outcomes = append(r.Outcomes, first(ctx, s, &checks[i]))
	}
	settle(ctx, s, r.Outcomes)
	return r
}

// One makes one check.
func One(ctx context.Context, s Subject, c *plan.Check) Outcome {
	return Run(ctx, s, "", []plan.Check{*c}).Outcomes[0]
}

// first does of a check what sends nothing of our own.
func first(ctx context.Context, s Subject, c *plan.Check) Outcome {
	o := Outcome{Name: c.Name, State: Holds, Checked: c, What: Words(c)}
	var err error
	switch {
	case c.Ask != nil:
		err = o.predict(ctx, s, c.Ask)
	case c.Table != nil:
		err = o.table(ctx, s, c.Table)
	case c.Command != nil:
		err = o.command(ctx, s, c.Command)
	}
	if err != nil {
		o.State, o.Why = Unknown, err.Error()
	}
	return o
}

func (o *Outcome) fail(format string, args ...any) {
	o.State, o.Why = Fails, fmt.Sprintf(format, args...)
}

func (o *Outcome) table(ctx context.Context, s Subject, c *plan.TableCheck) error {
	rows, err := s.Table(ctx, c.Name)
	if err == nil {
		o.match(rows, c.Match, fmt.Sprintf("the table %s", c.Name))
	}
	return err
}

// maxOutput bounds how much of a command's output a report shows, in bytes.
const maxOutput = 2000

func (o *Outcome) command(ctx context.Context, s Subject, c *plan.CommandCheck) error {
	output, status, err := s.Command(ctx, c.Host, c.Argv)
	if err != nil {
		return err
	}
	switch {
	case c.Status >= 0 && status != c.Status:
		o.fail("it ends with status %d", status)
	case c.Status < 0 && status == 0:
		o.fail("it ends with status 0")
	default:
		o.match(strings.Split(output, "\n"), c.Match, "what it says")
	}
	if o.State == Fails {
		o.Output = output[:min(len(output), maxOutput)]
	}
	return nil
}

// match looks for what must be in a text, and for what must not.
func (o *Outcome) match(lines []string, m plan.Match, where string) {
	for i := range lines {
		lines[i] = plain(lines[i])
	}
	has := func(text string) (line string, ok bool) {
		i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, plain(text)) })
		if i < 0 {
			return "", false
		}
		return lines[i], true
	}
	for _, text := range m.Has {
		if _, ok := has(text); !ok {
			o.fail("%s has no line with %q", where, text)
			return
		}
	}
	for _, text := range m.Lacks {
		if line, ok := has(text); ok {
			o.fail("%s has the line %q", where, line)
			return
		}
	}
}

// plain makes all blanks alike.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

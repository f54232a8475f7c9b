package check

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/words"
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
	if l, live := s.(Live); live {
		r.NoSend = l.NoSend
	}
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
		o.State, o.Why = Unknown, words.Text(words.In, err)
	}
	return o
}

func (o *Outcome) fail(why string) {
	o.State, o.Why = Fails, why
}

func (o *Outcome) table(ctx context.Context, s Subject, c *plan.TableCheck) error {
	rows, err := s.Table(ctx, c.Name)
	if err == nil {
		o.match(rows, c.Match, words.In("the table %s", c.Name))
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
		o.fail(words.In("it ends with status %d", status))
	case c.Status < 0 && status == 0:
		o.fail(words.In("it ends with status %d", 0))
	default:
		o.match(strings.Split(output, "\n"), c.Match, words.In("what it says"))
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
			o.fail(words.In("%s has no line with %q", where, text))
			return
		}
	}
	for _, text := range m.Lacks {
		if line, ok := has(text); ok {
			o.fail(words.In("%s has the line %q", where, line))
			return
		}
	}
}

// plain makes all blanks alike.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

// Subject is a lab that is checked.
type Subject interface {
	Explain(context.Context, api.Question) (*api.Answer, error)
	WhyNot(context.Context, api.Question) (*api.Advice, error)
	// Send sends packets from inside their hosts, side by side, and says what became of each; nil: such a one cannot be sent.
	Send(context.Context, []api.Asked) ([]*api.Sent, error)
	// Table returns the rows of one of plan.Tables.
	Table(ctx context.Context, name string) (rows []string, err error)
	// Command runs a program inside a host, or beside the lab if host is empty, and returns what it wrote and its status.
	// The error says that it could not be run.
	Command(ctx context.Context, host string, argv []string) (output string, status int, err error)
}

// Bring brings a lab up, in memory if simulated, and takes it down when beside, which gets the lab's client, has returned. What
// the lab has to say meanwhile goes to messages. The result is what beside returned, or why there was no lab.
type Bring func(p *plan.Plan, simulated bool, messages *os.File, beside func(context.Context, *api.Client) error) error

// Options are how checks are made.
type Options struct {
	Simulated bool     // a lab that is brought up for them is in memory
	NoSend    bool     // no packet is sent for a question: what is predicted of it decides
	Messages  *os.File // required: what such a lab has to say meanwhile
}

// OfPlan makes the checks of a plan on the lab of its name that is up or, if there is none, on one that is up for as long as
// it takes.
func OfPlan(ctx context.Context, bring Bring, p *plan.Plan, o Options) (*Report, error) {
	if err := some(p); err != nil {
		return nil, err // before anything is brought up for nothing
	}
	for _, up := range api.Up() {
		if up.Lab() == p.Name {
			return of(ctx, up, p, o)
		}
	}
	var report *Report
	err := bring(p, o.Simulated, o.Messages, func(ctx context.Context, up *api.Client) (err error) {
		report, err = of(ctx, up, p, o)
		return errors.Join(err, ctx.Err())
	})
	return report, err
}

// Up makes the checks of a lab that is up: those of the file that it was made from.
func Up(ctx context.Context, up *api.Client, o Options) (*Report, error) {
	var plans api.Plans[plan.Plan]
	if err := up.Get(ctx, "/v1/plan", nil, &plans); err != nil {
		return nil, err
	}
	return of(ctx, up, plans.Plan, o)
}

func of(ctx context.Context, up *api.Client, p *plan.Plan, o Options) (*Report, error) {
	if err := some(p); err != nil {
		return nil, err
	}
	live, err := NewLive(up)
	if err != nil {
		return nil, err
	}
	live.NoSend = o.NoSend
	return Run(ctx, live, p.Name, p.Checks), nil
}

// some refuses a lab that says nothing about what must hold.
func some(p *plan.Plan) error {
	if len(p.Checks) == 0 {
		return words.Errorf("%s: it has no checks: x-uswitch.checks says what must hold", p.Source)
	}
	return nil
}

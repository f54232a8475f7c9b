package check

import (
	"context"
	"fmt"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/words"
	"uswitch/switch/trace"
)

// Question returns what a check asks.
func Question(a *plan.AskCheck) api.Question {
	return api.Question{From: a.From, To: a.To, Protocol: a.Protocol, Port: a.Port, Size: a.Size, DontFragment: a.DF}
}

// predict asks what would become of the packet and, if it would not come through, what would fix that.
func (o *Outcome) predict(ctx context.Context, s Subject, a *plan.AskCheck) (err error) {
	if o.answer, err = s.Explain(ctx, Question(a)); err == nil && !o.answer.Works && !a.Not {
		err = o.advise(ctx, s, a)
	}
	return err
}

// settle sends the packets of all questions that were predicted, and judges by what becomes of them. Where none can be sent,
// the prediction is all that there is.
func settle(ctx context.Context, s Subject, outcomes []Outcome) {
	var asked []api.Asked
	var of []*Outcome
	for i := range outcomes {
		if o := &outcomes[i]; o.answer != nil && o.State == Holds {
			asked = append(asked, api.Asked{Question: o.answer.Question, Predicted: o.answer.Verdict, Address: o.answer.Address})
			of = append(of, o)
		}
	}
	if len(asked) == 0 {
		return
	}
	sent, err := s.Send(ctx, asked)
	for i, o := range of {
		if err != nil {
			o.State, o.Why = Unknown, words.Text(words.In, err)
			continue
		}
		if sent[i] != nil {
			o.answer.Settle(words.In, sent[i])
		}
		o.judge(o.Checked.Ask)
	}
}

// judge compares what became of a packet with what a check wants.
func (o *Outcome) judge(a *plan.AskCheck) {
	answer := o.answer
	stop := answer.Stop
	if o.Sent = answer.Sent; o.Sent != nil && o.Sent.Differs {
		stop = o.Sent.Ended
	}
	if answer.Works || answer.Verdict == api.NotKnown {
		o.Remedy = nil
	}
	switch {
	case answer.Verdict == api.NotKnown:
		o.State, o.Why = Unknown, answer.Unknown
	case !answer.Works && !a.Not:
		o.stopped(answer, stop)
	case answer.Works && a.Not:
		o.fail(answer.Sentence)
		o.letThrough(answer)
	case a.Reason != "" && stop == nil:
		o.fail(words.In("it is not answered, and whether that is because of %s is not known: %s", a.Reason, answer.Sentence))
	case a.Reason != "" && stop.Reason != a.Reason:
		o.stopped(answer, stop)
		o.Why = words.In("it is stopped, but for another reason than %s: %s", a.Reason, o.Why)
	case a.Rule != "" && !anyRule(answer, a.Rule):
		o.fail(words.In("no rule on its way has %q in it", a.Rule))
	default:
		o.path(answer, a.Path)
	}
}

// stopped says what is in the packet's way.
func (o *Outcome) stopped(answer *api.Answer, stop *api.Stop) {
	o.fail(answer.Sentence)
	if stop != nil {
		o.Where, o.Reason, o.Rule = stop.Where+" "+stop.Type, stop.Reason, stop.Rule
	}
}

// letThrough names the last rule that has accepted what should not pass.
func (o *Outcome) letThrough(answer *api.Answer) {
	for i := range answer.Phases {
		if p := &answer.Phases[i]; p.Rule != nil && p.Way == api.There {
			o.Where, o.Rule = p.Where+" "+p.Type, p.Rule
		}
	}
}

// advise asks the switch what would fix it. That nothing is known is no error.
func (o *Outcome) advise(ctx context.Context, s Subject, a *plan.AskCheck) error {
	advice, err := s.WhyNot(ctx, Question(a))
	if err != nil {
		return err
	}
	for _, step := range advice.Steps {
		if step.Command != "" {
			o.Remedy = append(o.Remedy, step.Command)
		} else {
			o.Remedy = append(o.Remedy, step.Text)
		}
	}
	return nil
}

func anyRule(answer *api.Answer, text string) bool {
	for i := range answer.Phases {
		if ruleHas(answer.Phases[i].Rule, text) {
			return true
		}
	}
	return false
}

func ruleHas(r *api.Rule, text string) bool {
	if r == nil {
		return false
	}
	return strings.Contains(plain(r.Text), plain(text)) || strings.Contains("-t "+r.Table+" "+plain(r.Text), plain(text))
}

// path compares the way of a packet with the steps that it must have, in their order.
func (o *Outcome) path(answer *api.Answer, want []plan.Hop) {
	at := 0
	for i, hop := range want {
		for at < len(answer.Phases) && !passes(&answer.Phases[at], hop) {
			at++
		}
		if at == len(answer.Phases) {
			o.fail(words.In("step %d of the path is not on its way: %s", i+1, hopWords(hop)))
			return
		}
		at++
	}
}

// passes reports whether a phase is what a step says.
func passes(p *api.Phase, h plan.Hop) bool {
	return (h.Way == "" || h.Way == string(p.Way)) && (h.At == "" || h.At == p.Where) && (h.Hook == "" || h.Hook == p.Type) &&
		(h.Result == "" || strings.EqualFold(h.Result, string(p.Result))) && (h.Rule == "" || ruleHas(p.Rule, h.Rule)) &&
		(h.Becomes == "" || strings.Contains(p.After, h.Becomes)) && (h.Reason == "" || h.Reason == p.Reason)
}

// Words returns a check as people say it.
func Words(c *plan.Check) string {
	switch {
	case c.Ask != nil:
		return askWords(c.Ask)
	case c.Table != nil:
		return words.In("the table %s", c.Table.Name) + " " + strings.Join(matchWords(c.Table.Match), words.In(" and "))
	case c.Command != nil:
		where := ""
		if c.Command.Host != "" {
			where = words.In(" in %s", c.Command.Host)
		}
		status := words.In("ends with status %d", c.Command.Status)
		if c.Command.Status < 0 {
			status = words.In("fails")
		}
		return "`" + strings.Join(c.Command.Argv, " ") + "`" + where + " " +
			strings.Join(append([]string{status}, matchWords(c.Command.Match)...), words.In(" and "))
	}
	return ""
}

func askWords(a *plan.AskCheck) string {
	text := words.In("%s reaches %s", a.From, a.To)
	if a.Not {
		text = words.In("%s does not reach %s", a.From, a.To)
	}
	if a.Protocol != "icmp" {
		text += fmt.Sprintf(" %s %d", a.Protocol, a.Port)
	}
	if a.Size > 0 {
		text += words.In(" with %d bytes", a.Size)
	}
	if a.DF {
		text += words.In(" in one piece")
	}
	if a.Reason != "" {
		text += words.In(" because of %s", a.Reason)
	}
	if a.Rule != "" {
		text += words.In(" by %s", a.Rule)
	}
	for i, hop := range a.Path {
		text += words.In(map[bool]string{true: trace.Key(", by %s"), false: trace.Key(", then %s")}[i == 0], hopWords(hop))
	}
	return text
}

func hopWords(h plan.Hop) string {
	var said []string
	for _, w := range []struct{ key, text string }{{trace.Key("the %s"), h.Way}, {trace.Key("at %s"), h.At}, {"%s", h.Hook}, {"%s", h.Result},
		{trace.Key("for %s"), h.Reason}, {trace.Key("rule %s"), h.Rule}, {trace.Key("becoming %s"), h.Becomes}} {
		if w.text != "" {
			said = append(said, words.In(w.key, w.text))
		}
	}
	return strings.Join(said, " ")
}

// matchWords lists what must be in a text and what must not.
func matchWords(m plan.Match) []string {
	var said []string
	if len(m.Has) > 0 {
		said = append(said, words.In("has %s", strings.Join(m.Has, words.In(" and "))))
	}
	if len(m.Lacks) > 0 {
		said = append(said, words.In("lacks %s", strings.Join(m.Lacks, words.In(" and "))))
	}
	return said
}

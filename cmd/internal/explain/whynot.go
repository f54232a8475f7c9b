package explain

import (
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
	"uswitch/switch/trace"
)

// maxRemedies bounds how many things may be wrong at once before WhyNot gives up.
const maxRemedies = 10

// WhyNot says what keeps a question from being answered, and what would let it pass. Every remedy was tried on a fork of the
// lab: each brings the question further than the one before, and with all of them it is answered, if Solved. The error
// says that the question makes no sense in this lab.
func (l *Lab) WhyNot(q api.Question) (*api.Advice, error) {
	f, answer, err := l.ask(q)
	if err != nil {
		return nil, err
	}
	if answer != nil {
		// The name is the trouble, or an address that is missing, or what leads to the name's server.
		if s := answer.Stop; s == nil || s.Reason == noSuchName || s.Reason == api.NoAddress {
			return &api.Advice{Question: q, Verdict: answer.Verdict, Stop: answer.Stop, Rest: answer.Stop, Sentence: answer.Sentence}, nil
		}
		advice, err := l.WhyNot(api.Question{From: q.From, To: nameServer.String(), Protocol: "udp", Port: 53})
		if err == nil {
			advice.Question = q
			advice.Sentence = l.in("The name %s cannot be looked up. %s", q.To, advice.Sentence)
		}
		return advice, err
	}
	if to := f.group(); to != nil {
		answer := f.answerOfGroup(to)
		return &api.Advice{Question: q, Verdict: answer.Verdict, Unknown: answer.Unknown, Sentence: answer.Sentence}, nil
	}
	first := f.blocker()
	a := &api.Advice{Question: q, Stop: first.told(), Look: f.look()}
	t, last, rest := f.trial, f, first
	for rest != nil && len(a.Steps) < maxRemedies {
		better, remedy, err := t.improve(rest)
		if err != nil {
			return nil, err
		}
		if better == nil {
			break
		}
		if n := len(a.Steps); n > 0 && a.Steps[n-1].Reason == remedy.Reason && rest.reason == trace.FragNeeded {
			a.Steps = a.Steps[:n-1] // an even smaller packet stands for both
		}
		a.Steps = append(a.Steps, remedy)
		t, last, rest = better.trial, better, better.blocker()
	}
	a.Rest = rest.told()
	left := last.notKnown(rest)
	a.Solved = rest == nil && left == ""
	for _, command := range last.look() {
		if !slices.Contains(a.Look, command) {
			a.Look = append(a.Look, command)
		}
	}
	a.Unknown = f.notKnown(first)
	a.Verdict = verdictOf(a.Stop == nil, a.Unknown)
	a.Works = a.Verdict == api.Yes
	a.Sentence = f.summary(a, first, left)
	return a, nil
}

// notKnown is what is not known of the question's fate, in one line; empty: nothing.
func (f *flow) notKnown(stop *blocker) string {
	unknown := f.unknowns(stop)
	if f.lab.Uplink.Kind != Sim && f.reachedOutside() && stop == nil {
		unknown = append(unknown, f.in("what lies beyond the uplink cannot be known from here"))
	}
	return strings.Join(unknown, "; ")
}

// look returns the commands that show what decides in hosts on the question's way and is not evaluated.
func (f *flow) look() (commands []string) {
	for i := range f.inner {
		s := &f.inner[i]
		if command := "uswitch exec " + s.Host + " -- " + s.Shown; s.Shown != "" && !slices.Contains(commands, command) {
			commands = append(commands, command)
		}
	}
	return commands
}

// improve tries what may help against a stop, one proposal after the other, and returns what becomes of the question with the
// first one that brings it further; nil if none does.
func (t *trial) improve(s *blocker) (better *flow, r api.Remedy, err error) {
	for _, p := range t.proposals(s) {
		tried, err := t.fork()
		if err != nil {
			return nil, r, err
		}
		if p.apply(tried) != nil {
			continue // it cannot even be carried out here
		}
		f, err := tried.run()
		if err != nil {
			return nil, r, err
		}
		if next := f.blocker(); next == nil || next.further(s) {
			return f, api.Remedy{Because: s.Sentence, Reason: s.Reason, Rule: s.Rule, Command: p.command, Text: p.text}, nil
		}
	}
	return nil, r, nil
}

// further reports whether a question stopped by s has come further than one stopped by before.
func (s *blocker) further(before *blocker) bool {
	if s.Where == api.Outsider {
		return before.Where != api.Outsider
	}
	if s.Way != before.Way {
		return s.Way == api.Back
	}
	if s.at != before.at {
		return s.at > before.at
	}
	return s.Where == before.Where && s.Reason != before.Reason && s.Reason != "" || s.Where != before.Where
}

// fork returns a trial that can be changed on its own.
func (t *trial) fork() (*trial, error) {
	w, err := sim.Fork(t.lab.origin())
	if err != nil {
		return nil, err
	}
	f := *t
	f.lab.Switches, f.lab.Gateway, f.lab.Hosts = w.Switches(), w.Gateway(), nil
	for _, h := range t.lab.Hosts {
		h.NICs = append([]sim.NICState(nil), h.NICs...)
		h.Routes = append([]sim.HostRoute(nil), h.Routes...)
		h.TCP, h.UDP = append([]uint16(nil), h.TCP...), append([]uint16(nil), h.UDP...)
		h.Rules, h.Elsewhere = slices.Clone(h.Rules), slices.Clone(h.Elsewhere)
		f.lab.Hosts = append(f.lab.Hosts, h)
	}
	return &f, nil
}

// summary is the advice about a flow in one sentence; left is what is not known when all steps are done.
func (f *flow) summary(a *api.Advice, first *blocker, left string) string {
	switch {
	case a.Stop == nil && a.Verdict == api.NotKnown:
		return f.in("Nothing that the switch can see is in the way. That is not all that decides.")
	case a.Works:
		return f.in("Nothing is in the way: it works.")
	case a.Solved && len(a.Steps) == 1:
		return f.in("%s. With this one thing done, it works: it was tried on a copy of the lab.", strings.TrimSuffix(f.sentence(first, a.Verdict), "."))
	case a.Solved:
		return f.in("With these %d things done, in this order, it works: they were tried on a copy of the lab.", len(a.Steps))
	case a.Rest == nil:
		return f.in("With this done, nothing that the switch can see is in the way. That is not all that decides: %s.", left)
	case len(a.Steps) > 0:
		return f.in("That is not all, and for the rest no remedy is known here: %s.", a.Rest.Sentence)
	}
	return f.in("%s No command of the lab's is known to mend that.", f.sentence(first, a.Verdict))
}

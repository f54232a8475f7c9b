package explain

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/nat/rule"
	"uswitch/sim"
	"uswitch/switch/trace"
)

// Explain says what would become of a question, step by step, without sending it. The error says that the question makes
// no sense in this lab.
func (l *Lab) Explain(q api.Question) (*api.Answer, error) {
	f, answer, err := l.ask(q)
	if err != nil || answer != nil {
		return answer, err
	}
	return f.answer(), nil
}

// ask puts a question. Where its name leads nowhere, the answer says so, and there is no flow.
func (l *Lab) ask(q api.Question) (*flow, *api.Answer, error) {
	target, err := l.check(q)
	var nobody addressless
	if errors.As(err, &nobody) {
		return nil, nobody.answer(l, q), nil
	}
	if err != nil {
		return nil, nil, err
	}
	t := newTrial(l, *target)
	if t.target.name {
		answer, err := t.resolve()
		if err != nil || answer != nil {
			return nil, answer, err
		}
	}
	f, err := t.run()
	return f, nil, err
}

// answer says that there is no address to ask at, so that nothing was sent.
func (e addressless) answer(l *Lab, q api.Question) *api.Answer {
	stop := &api.Stop{Way: api.There, Where: e.who, Type: "address", Reason: api.NoAddress, Sentence: e.text}
	return &api.Answer{Question: q, Verdict: api.No, Stop: stop, Sentence: e.text + ".", Phases: []api.Phase{{Number: 1, Way: api.There, Where: q.From, Type: "address",
		Result: api.ResultDrop, Looked: l.in("the address of %s", e.who), Found: e.text, Reason: api.NoAddress}}}
}

// answer writes down what has become of the question.
func (f *flow) answer() *api.Answer {
	stop := f.blocker()
	if to := f.group(); to != nil {
		return f.answerOfGroup(to)
	}
	a := &api.Answer{Question: f.target.Question, Address: f.target.addr.String(), Phases: f.phases(), Stop: stop.told()}
	unknown := f.unknowns(stop)
	if f.reachedOutside() && f.lab.Uplink.Kind != Sim && a.Stop == nil {
		unknown = append(unknown, f.in("what lies beyond the uplink cannot be known from here: it is taken for granted that somebody answers there"))
	}
	a.Unknown = strings.Join(unknown, "; ")
	a.Verdict = verdictOf(a.Stop == nil, a.Unknown)
	a.Works = a.Verdict == api.Yes
	a.Sentence = f.sentence(stop, a.Verdict)
	if f.lost > 0 {
		a.Unknown += f.in("; %d steps were too many to be shown", f.lost)
	}
	return a
}

// group returns to whom a question was delivered that is for a group of hosts, where it was: to none is to be empty; nil of all others.
func (f *flow) group() (to []string) {
	if !f.target.addr.IsMulticast() {
		return nil
	}
	for i := range f.steps {
		s := &f.steps[i]
		if s.way != api.There || s.arp.IsValid() || s.Hook != trace.Egress || s.Verdict == trace.Drop {
			continue
		}
		to = append(to, cmp.Or(s.Port, s.Where))
	}
	return to
}

// answerOfGroup says who gets a question that is for a group: whether a program there listens to the group, and answers, is its own
// business, and the one answer that somebody waits for may come from any of them.
func (f *flow) answerOfGroup(to []string) *api.Answer {
	who := strings.Join(to, ", ")
	return &api.Answer{Question: f.target.Question, Address: f.target.addr.String(), Phases: f.phases(), Verdict: api.NotKnown,
		Unknown:  f.in("whether a program there listens to the group, and answers"),
		Sentence: f.in("%v is a group: the question is delivered to %s. Who of them listens to it, and answers, is not known.", f.target.addr, who)}
}

// reachedOutside reports whether the question of a host has left the lab, and the uplink has taken it.
func (f *flow) reachedOutside() bool {
	up, taken := f.lab.uplink(), false
	for i := range f.steps {
		s := &f.steps[i]
		if up != nil && s.way == api.There && f.target.From != api.Outsider && s.Hook == trace.Egress && (s.Where == up.Name() || s.Port == up.Name()) {
			taken = s.Verdict != trace.Drop
		}
	}
	return taken
}

// sentence is the answer in one sentence.
func (f *flow) sentence(s *blocker, v api.Verdict) string {
	q := f.target.Question
	switch machines := f.beyondTunnels(); {
	case s == nil && v == api.NotKnown && !f.ok() && len(machines) > 0:
		return f.in("As far as the switch can see, the question leaves %s through the tunnel to %s. What becomes of it there is not known.", q.From, strings.Join(machines, f.in(" and ")))
	case s == nil && v == api.NotKnown:
		return f.in("As far as the switch can see, %s reaches %s, and the answer comes back. That is not all that decides.", q.From, q.Object(f.in))
	case v == api.NotKnown:
		text := f.sentence(s, api.No)
		return f.in("As far as the switch can see: %s", text)
	case s == nil:
		return f.in("It works: %s reaches %s, and the answer comes back.", q.From, q.Object(f.in))
	case s.Where == q.From && s.host != nil && s.Reason != hairpin:
		return s.Sentence + "."
	case s.Way == api.Back:
		return f.in("%s's question arrives, but the answer does not come back: at %s (%s), %s.", q.From, s.Where, s.Type, s.Sentence)
	case s.Where == q.From:
		return f.in("The question does not leave %s: %s.", q.From, s.Sentence)
	}
	return f.in("The question ends at %s (%s): %s.", s.Where, s.Type, s.Sentence)
}

// nameServer is whom simulated hosts ask for names.
var nameServer = netip.AddrFrom4([4]byte{8, 8, 8, 8})

// resolve finds the address of a name as a host would, where that can be known: in the simulated internet. If the DNS server
// cannot be reached, that is the answer; if there is no such name, too.
func (t *trial) resolve() (*api.Answer, error) {
	name := t.target.To
	if t.lab.Uplink.Kind != Sim {
		return nil, words.Errorf("%s: what a name means outside cannot be known from here: ask for an address", name)
	}
	dns := *t
	dns.target = target{Question: api.Question{From: t.target.From, To: nameServer.String(), Protocol: "udp", Port: 53}, addr: nameServer}
	f, err := dns.run()
	if err != nil {
		return nil, err
	}
	if !f.ok() {
		answer := f.answer()
		answer.Sentence = t.in("The name %s cannot be looked up: %s", name, begun(answer.Sentence))
		return answer, nil
	}
	h, ok := f.world.Host(t.target.From)
	if !ok {
		return nil, words.Errorf("%s: want an address", name)
	}
	h.LookUp(nameServer, name, false, func(a netip.Addr, failed error) { t.target.addr, err = a, failed })
	end := f.world.Clock().Now().Add(patience)
	for !t.target.addr.IsValid() && err == nil && f.world.Clock().Now().Before(end) && f.world.Step() {
	}
	if t.target.addr.IsValid() {
		return nil, nil
	}
	if err == nil {
		err = words.Errorf("it has no address")
	}
	why := words.Text(t.in, err)
	if errors.Is(err, sim.ErrNoSuchName) {
		why = t.in("there is no such name (NXDOMAIN)")
	}
	stop := &api.Stop{Way: api.There, Where: t.target.From, Type: "name", Reason: noSuchName, Sentence: fmt.Sprintf("%s: %s", name, why)}
	return &api.Answer{Question: t.target.Question, Verdict: api.No, Stop: stop, Sentence: t.in("The name does not resolve: %s, says %v.", why, nameServer),
		Phases: []api.Phase{{Number: 1, Way: api.There, Where: t.target.From, Type: "name", Result: api.ResultDrop, Looked: t.in("%s at %v", name, nameServer),
			Found: why, Reason: noSuchName}}}, nil
}

// begun is a sentence that another one goes on with.
func begun(sentence string) string {
	_, first := utf8.DecodeRuneInString(sentence)
	return strings.ToLower(sentence[:first]) + sentence[first:]
}

// noSuchName is the reason of a name that leads nowhere: the only one that no switch could have.
const noSuchName = "no-such-name"

// verdictOf is the verdict of a question that nothing seen is in the way of (passes), and of whose fate unknown is not known.
func verdictOf(passes bool, unknown string) api.Verdict {
	switch {
	case unknown != "":
		return api.NotKnown
	case passes:
		return api.Yes
	}
	return api.No
}

// tablesAt are the tables that a hook asks, in order.
var tablesAt = map[trace.Hook][]rule.Table{
	trace.Prerouting:  {rule.Raw, rule.Mangle, rule.NAT},
	trace.Input:       {rule.Mangle, rule.Filter, rule.NAT},
	trace.Forward:     {rule.Mangle, rule.Filter},
	trace.Output:      {rule.Raw, rule.Mangle, rule.NAT, rule.Filter},
	trace.Postrouting: {rule.Mangle, rule.NAT},
}

// ruleOf finds the rule of a step: its table, and its number among the rules of its chain. Of several that read alike it is
// the first, which is the one that a packet meets.
func ruleOf(tables *rule.Tables, e *trace.Event) *api.Rule {
	if e.Rule == "" {
		return nil
	}
	candidates := tablesAt[e.Hook]
	if e.Hook != trace.Prerouting && e.Hook != trace.Postrouting && e.Reason == trace.NoReason && e.Verdict != trace.Rewrite && e.Note == trace.NoNote {
		candidates = []rule.Table{rule.Filter} // accepting rules are told by this table only
	}
	for _, t := range candidates {
		listing, err := tables.Exec([]string{"-t", t.String(), "-S", e.Chain})
		if err != nil {
			continue
		}
		number := 0
		for line := range strings.Lines(listing) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "-A ") {
				number++
			}
			if line == e.Rule {
				if strings.HasPrefix(line, "-P ") {
					number = 0
				}
				return &api.Rule{Table: t.String(), Chain: e.Chain, Number: number, Text: e.Rule}
			}
		}
	}
	return &api.Rule{Chain: e.Chain, Text: e.Rule}
}

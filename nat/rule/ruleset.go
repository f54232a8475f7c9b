package rule

import (
	"iter"
	"slices"
	"strings"

	"uswitch/switch/trace"
)

// Ruleset is all tables at one moment. Once published it never changes, except for the numbers in its counters; it may be
// read from many goroutines at once without any lock.
type Ruleset struct {
	family Family
	tables [tableEnd][]*chain         // by Table: the built-in chains in the order of their hooks, then the user's by name
	hooks  [tableEnd][numHooks]*chain // by Table and hook, for Evaluate
}

// numHooks is one more than the last hook that a table is called from.
const numHooks = trace.Postrouting + 1

// chain is a list of rules: built in, with a hook and a policy, or a user's.
type chain struct {
	name   string
	hook   trace.Hook // zero for a user's chain
	policy Decision   // of a built-in chain
	count  *Counter   // packets that met the policy
	rules  []*Rule
	calls  []*chain // by rule: the chain that it jumps to, or nil; made by link
}

// builtin reports whether the chain is one of the table's own.
func (c *chain) builtin() bool { return c.hook != 0 }

// newRuleset returns the tables as a machine has them in the morning: empty, all policies ACCEPT.
func newRuleset(f Family) *Ruleset {
	s := &Ruleset{family: f}
	for _, t := range allTables() {
		s.reset(t)
	}
	s.link()
	return s
}

// reset empties one table. The ruleset must not be published yet.
func (s *Ruleset) reset(t Table) {
	s.tables[t] = nil
	for _, h := range tableHooks[t] {
		c := &chain{name: builtinName(h), hook: h, count: new(Counter)}
		c.setPolicy(Accept)
		s.tables[t] = append(s.tables[t], c)
	}
}

// setPolicy makes the decision of a built-in chain's end: Accept or Drop.
func (c *chain) setPolicy(v Verdict) {
	word := "ACCEPT"
	if v == Drop {
		word = "DROP"
	}
	c.policy = Decision{Verdict: v, Text: "-P " + c.name + " " + word, Chain: c.name, Target: word}
}

// clone returns a copy that may be edited; rules and counters are shared.
func (s *Ruleset) clone() *Ruleset {
	d := &Ruleset{family: s.family}
	for _, t := range allTables() {
		for _, c := range s.tables[t] {
			copied := *c
			copied.rules = slices.Clone(c.rules)
			d.tables[t] = append(d.tables[t], &copied)
		}
	}
	return d
}

// find returns a chain by its name, or nil.
func (s *Ruleset) find(t Table, name string) *chain {
	for _, c := range s.tables[t] {
		if c.name == name {
			return c
		}
	}
	return nil
}

// link finds the chains that rules jump to, and sorts the user's chains. It is the last step before a ruleset is published.
func (s *Ruleset) link() {
	for _, t := range allTables() {
		builtins := len(tableHooks[t])
		slices.SortFunc(s.tables[t][builtins:], func(a, b *chain) int { return strings.Compare(a.name, b.name) })
		for _, c := range s.tables[t] {
			if c.builtin() {
				s.hooks[t][c.hook] = c
			}
			c.calls = make([]*chain, len(c.rules))
			for i, r := range c.rules {
				if r.jump != "" {
					c.calls[i] = s.find(t, r.jump)
				}
			}
		}
	}
}

// matches goes through the conditions of all rules.
func (s *Ruleset) matches() iter.Seq[match] {
	return func(yield func(match) bool) {
		for _, t := range allTables() {
			for _, c := range s.tables[t] {
				for _, r := range c.rules {
					for _, m := range r.matches {
						if !yield(m) {
							return
						}
					}
				}
			}
		}
	}
}

// Table is one of iptables' tables. The zero value is invalid.
type Table uint8

// The tables, in the order in which iptables-save prints them.
const (
	Mangle Table = iota + 1
	Raw
	Filter
	NAT

	tableEnd
)

// tableNames are the names as -t takes them.
var tableNames = [tableEnd]string{Mangle: "mangle", Raw: "raw", Filter: "filter", NAT: "nat"}

// tableHooks are the hooks that a table is called from, in the order of its built-in chains.
var tableHooks = [tableEnd][]trace.Hook{
	Mangle: {trace.Prerouting, trace.Input, trace.Forward, trace.Output, trace.Postrouting},
	Raw:    {trace.Prerouting, trace.Output},
	Filter: {trace.Input, trace.Forward, trace.Output},
	NAT:    {trace.Prerouting, trace.Input, trace.Output, trace.Postrouting},
}

// allTables returns every table in order.
func allTables() []Table { return []Table{Mangle, Raw, Filter, NAT} }

// String returns the name as -t takes it.
func (t Table) String() string {
	if t > 0 && t < tableEnd {
		return tableNames[t]
	}
	return "invalid table"
}

// ParseTable finds a table by its name.
func ParseTable(name string) (Table, bool) {
	for t := Mangle; t < tableEnd; t++ {
		if tableNames[t] == name {
			return t, true
		}
	}
	return 0, false
}

// tableNamed is ParseTable with iptables' words for what does not exist.
func tableNamed(name string) (Table, error) {
	if t, ok := ParseTable(name); ok {
		return t, nil
	}
	e := &Error{Status: VersionProblem, Text: "table '" + name + "' does not exist: there are filter, mangle, nat and raw"}
	if name == "security" {
		e.Text = "table '" + name + "' is not supported: there are filter, mangle, nat and raw"
	}
	return 0, e
}

// builtinName is the name of the built-in chain at a hook.
func builtinName(h trace.Hook) string {
	switch h {
	case trace.Prerouting:
		return "PREROUTING"
	case trace.Input:
		return "INPUT"
	case trace.Forward:
		return "FORWARD"
	case trace.Output:
		return "OUTPUT"
	case trace.Postrouting:
		return "POSTROUTING"
	}
	return ""
}

// Fork returns tables with the same rules, which count on from the same numbers and share nothing with t: what packets and
// edits do to either ones the others never feel. Limits are as far used up, and lists of -m recent as full, as they are in t.
func (t *Tables) Fork() *Tables {
	f := &Tables{family: t.family}
	t.edit.Lock()
	now, lists := t.Snapshot(), t.lists
	t.edit.Unlock()
	f.lists = lists
	draft := now.clone()
	for _, table := range allTables() {
		for _, c := range draft.tables[table] {
			c.count = c.count.fork()
			for i, r := range c.rules {
				c.rules[i] = r.fork()
			}
		}
	}
	draft.forkRecent()
	f.publish(draft)
	return f
}

// fork returns the same rule with a counter and limits of its own.
func (r *Rule) fork() *Rule {
	twin := *r
	twin.count = r.count.fork()
	twin.matches = slices.Clone(r.matches)
	for i, m := range twin.matches {
		if m, ok := m.(stateful); ok {
			twin.matches[i] = m.fork()
		}
	}
	if twin.decision.Rule != nil {
		twin.decision.Rule = &twin
	}
	return &twin
}

func (c *Counter) fork() *Counter { return counterOf(c.Packets(), c.Bytes()) }

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

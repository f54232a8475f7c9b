package rule

import (
	"fmt"
	"slices"
	"strings"
)

// create is -N.
func (s *Ruleset) create(t Table, name string) error {
	if s.find(t, name) != nil {
		return failed("Chain already exists.")
	}
	s.tables[t] = append(s.tables[t], &chain{name: name, count: new(Counter)})
	return nil
}

// remove is -X: one chain, or all that are the user's.
func (s *Ruleset) remove(c *command) (string, error) {
	chains, err := s.chains(c)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, chain := range slices.Clone(chains) {
		switch {
		case chain.builtin() && c.chain == "":
			continue
		case chain.builtin():
			return "", failed("Can't delete built-in chain.")
		case len(chain.rules) > 0:
			return "", busy(chain, fmt.Sprintf("it has rules, which -F %s would delete", chain.name))
		}
		if n := s.references(c.table, chain.name); n > 0 {
			return "", busy(chain, fmt.Sprintf("%d rules still call it", n))
		}
		s.tables[c.table] = slices.DeleteFunc(s.tables[c.table], is(chain))
		if c.given['v'] {
			fmt.Fprintf(&out, "Deleting chain `%s'\n", chain.name)
		}
	}
	return out.String(), nil
}

// busy is the answer for a chain that may not be deleted.
func busy(c *chain, why string) error {
	return refused("CHAIN_DEL failed (Device or resource busy): chain %s: %s", c.name, why)
}

// is returns a test for one chain.
func is(wanted *chain) func(*chain) bool { return func(c *chain) bool { return c == wanted } }

// references counts the rules of a table that call a chain.
func (s *Ruleset) references(t Table, name string) (n int) {
	for _, c := range s.tables[t] {
		for _, r := range c.rules {
			if r.jump == name {
				n++
			}
		}
	}
	return n
}

// police is -P.
func (s *Ruleset) police(c *command) error {
	chain := s.find(c.table, c.chain)
	if chain == nil || !chain.builtin() {
		return failed("Bad built-in chain name.")
	}
	switch c.second {
	case "ACCEPT":
		chain.setPolicy(Accept)
	case "DROP":
		chain.setPolicy(Drop)
	default:
		return failed("Bad policy name.")
	}
	if c.counters != nil {
		chain.count = c.counters
	}
	return nil
}

// rename is -E. Rules that stand in the chain or call it are written anew, with their counters.
func (s *Ruleset) rename(c *command) error {
	chain := s.find(c.table, c.chain)
	switch {
	case s.find(c.table, c.second) != nil:
		return failed("File exists.")
	case chain == nil || chain.builtin():
		return failed(noChain)
	}
	chain.name = c.second
	for _, other := range s.tables[c.table] {
		for i, r := range other.rules {
			if other != chain && r.jump != c.chain {
				continue
			}
			spec := r.spec
			if spec.jump == c.chain {
				spec.jump = c.second
			}
			other.rules[i] = newRule(other.name, spec, r.count)
		}
	}
	return nil
}

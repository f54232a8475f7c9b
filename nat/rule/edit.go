package rule

import (
	"fmt"
	"slices"
	"strings"
)

// edit carries out a command that changes the ruleset, which must not be published yet, and returns what -v prints. After
// an error the ruleset is to be thrown away.
func (s *Ruleset) edit(c *command) (output string, err error) {
	switch c.verb.letter {
	case 'A', 'I', 'R', 'D':
		return s.editRules(c)
	case 'F':
		return s.flush(c)
	case 'Z':
		return s.zero(c)
	case 'N':
		return "", s.create(c.table, c.chain)
	case 'X':
		return s.remove(c)
	case 'P':
		return "", s.police(c)
	}
	return "", s.rename(c)
}

// editRules is -A, -I, -R and -D.
func (s *Ruleset) editRules(c *command) (string, error) {
	chain := s.find(c.table, c.chain)
	switch {
	case c.verb.letter == 'D' && c.number > 0:
		return "", s.deleteNumber(chain, c.number)
	case c.verb.letter == 'D' && chain == nil:
		return "", failed(noRule)
	case chain == nil:
		return "", failed(noChain)
	}
	if err := s.checkJump(c); err != nil {
		return "", err
	}
	var out strings.Builder
	for _, r := range c.rules() {
		var err error
		switch c.verb.letter {
		case 'A':
			chain.rules = append(chain.rules, r)
		case 'I':
			err = chain.insert(r, max(c.number, 1)) // each before the last: the last address comes first, as in iptables
		case 'R':
			err = chain.replace(r, c.number)
		case 'D':
			err = chain.delete(r)
		}
		if err != nil {
			return "", err
		}
		if c.given['v'] {
			r.verbose(&out)
		}
	}
	return out.String(), nil
}

// checkJump refuses a jump to what is no chain of the user's.
func (s *Ruleset) checkJump(c *command) error {
	name := c.rule.jump
	if name == "" {
		return nil
	}
	to := s.find(c.table, name)
	if to == nil {
		return usage("Chain '%s' does not exist", name)
	}
	if to.builtin() {
		return refused("%s failed (Operation not supported): rule in chain %s: %s is a built-in chain, and only those made "+
			"with -N can be called", c.verb.operation(), c.chain, name)
	}
	return nil
}

// operation is the name that nf_tables has for a command.
func (v *verb) operation() string {
	switch v.letter {
	case 'I':
		return "RULE_INSERT"
	case 'R':
		return "RULE_REPLACE"
	case 'D':
		return "RULE_DELETE"
	case 'C':
		return "RULE_CHECK"
	}
	return "RULE_APPEND"
}

// rules makes the rules of a command: one for each pair of a source and a destination. The command remembers them.
func (c *command) rules() []*Rule {
	for _, src := range c.srcs {
		for _, dst := range c.dsts {
			s := c.rule
			s.src, s.dst = src, dst
			s.matches = slices.Clone(s.matches)
			for i, m := range s.matches {
				if l, ok := m.(*limitMatch); ok {
					s.matches[i] = l.fresh()
				}
			}
			count := new(Counter)
			if c.counters != nil {
				count = counterOf(c.counters.Packets(), c.counters.Bytes())
			}
			c.made = append(c.made, newRule(c.chain, s, count))
		}
	}
	return c.made
}

// check is -C: whether all the rules are there.
func (s *Ruleset) check(c *command) (string, error) {
	chain := s.find(c.table, c.chain)
	if chain == nil {
		return "", failed(noRule)
	}
	if err := s.checkJump(c); err != nil {
		return "", err
	}
	var out strings.Builder
	for _, r := range c.rules() {
		if chain.index(r) < 0 {
			return "", failed(noRule)
		}
		if c.given['v'] {
			r.verbose(&out)
		}
	}
	return out.String(), nil
}

// index finds the first rule that says the same, or returns -1.
func (c *chain) index(r *Rule) int {
	return slices.IndexFunc(c.rules, func(other *Rule) bool { return other.says(&r.spec) })
}

func (c *chain) insert(r *Rule, number int) error {
	if number > len(c.rules)+1 {
		return failed("Index of insertion too big.")
	}
	c.rules = slices.Insert(c.rules, number-1, r)
	return nil
}

func (c *chain) replace(r *Rule, number int) error {
	if number > len(c.rules) {
		return failed("Index of replacement too big.")
	}
	c.rules[number-1] = r
	return nil
}

func (c *chain) delete(r *Rule) error {
	i := c.index(r)
	if i < 0 {
		return failed(noRule)
	}
	c.rules = slices.Delete(c.rules, i, i+1)
	return nil
}

// deleteNumber is -D with a number.
func (s *Ruleset) deleteNumber(c *chain, number int) error {
	if c == nil {
		return failed(noChain)
	}
	if number > len(c.rules) {
		return failed("Index of deletion too big.")
	}
	c.rules = slices.Delete(c.rules, number-1, number)
	return nil
}

// chains returns the chains that a command is about: the named one, or all of the table.
func (s *Ruleset) chains(c *command) ([]*chain, error) {
	if c.chain == "" {
		return s.tables[c.table], nil
	}
	one := s.find(c.table, c.chain)
	if one == nil {
		return nil, failed(noChain)
	}
	return []*chain{one}, nil
}

// flush is -F.
func (s *Ruleset) flush(c *command) (string, error) {
	chains, err := s.chains(c)
	var out strings.Builder
	for _, chain := range chains {
		chain.rules = nil
		if c.given['v'] {
			fmt.Fprintf(&out, "Flushing chain `%s'\n", chain.name)
		}
	}
	return out.String(), err
}

// zero is -Z. The rules get new counters, so that a ruleset that is in use keeps its own, and limits keep their buckets.
func (s *Ruleset) zero(c *command) (string, error) {
	chains, err := s.chains(c)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, chain := range chains {
		if c.number > len(chain.rules) {
			return "", failed("Index of counter too big.")
		}
		if c.given['v'] && c.chain != "" {
			fmt.Fprintf(&out, "Zeroing chain `%s'\n", chain.name)
		}
		for i, r := range chain.rules {
			if c.number == 0 || c.number == i+1 {
				chain.rules[i] = newRule(r.chain, r.spec, new(Counter))
			}
		}
		if c.number == 0 {
			chain.count = new(Counter)
		}
	}
	return out.String(), nil
}

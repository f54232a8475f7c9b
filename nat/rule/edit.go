package rule

import (
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
		return s.zero(c, c.number)
	case 'L', 'S': // with -Z: the printing is done, and a number was meant for it
		return s.zero(c, 0)
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
				if m, ok := m.(stateful); ok {
					s.matches[i] = m.fresh()
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

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

// Draft returns tables of their own that begin as s. Edits of them leave s, and the Tables that it is a Snapshot of, as they
// are; only the counters of the rules that both have are the same ones. Whoever wants to know what a series of commands
// would do tries it on a draft.
func (s *Ruleset) Draft() *Tables {
	t := &Tables{family: s.family, trial: true}
	t.current.Store(s)
	return t
}

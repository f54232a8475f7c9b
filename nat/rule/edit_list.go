package rule

import (
	"fmt"
	"slices"
	"strings"
)

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

// index finds the first rule that says the same, which is to be printed the same, or returns -1.
func (c *chain) index(r *Rule) int {
	return slices.IndexFunc(c.rules, func(other *Rule) bool { return other.text == r.text })
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
func (s *Ruleset) zero(c *command, number int) (string, error) {
	chains, err := s.chains(c)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, chain := range chains {
		if number > len(chain.rules) {
			return "", failed("Index of counter too big.")
		}
		if c.given['v'] && c.chain != "" && number == 0 {
			fmt.Fprintf(&out, "Zeroing chain `%s'\n", chain.name)
		}
		for i, r := range chain.rules {
			if number == 0 || number == i+1 {
				chain.rules[i] = newRule(r.chain, r.spec, new(Counter))
			}
		}
		if number == 0 {
			chain.count = new(Counter)
		}
	}
	return out.String(), nil
}

package rule

import (
	"fmt"
	"strings"
)

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

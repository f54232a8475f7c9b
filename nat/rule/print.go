package rule

import (
	"fmt"
	"strings"
)

// print is -S: policies, then the user's chains, then the rules, each as the command that would make it.
func (s *Ruleset) print(c *command) (string, error) {
	chains, err := s.chains(c)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, chain := range chains {
		switch {
		case c.number > 0:
		case !chain.builtin():
			fmt.Fprintf(&b, "-N %s\n", chain.name)
		case c.given['v']:
			fmt.Fprintf(&b, "%s -c %d %d\n", chain.policy.Text, chain.count.Packets(), chain.count.Bytes())
		default:
			b.WriteString(chain.policy.Text + "\n")
		}
	}
	for _, chain := range chains {
		for i, r := range chain.rules {
			if c.number == 0 || c.number == i+1 {
				b.WriteString(r.print(c.given['v']) + "\n")
			}
		}
	}
	return b.String(), nil
}

// print returns the rule as -S prints it, with its counters before -j if it is to be verbose.
func (r *Rule) print(verbose bool) string {
	if !verbose {
		return r.text
	}
	return fmt.Sprintf("-A %s%s -c %d %d%s", r.chain, r.conditions(), r.count.Packets(), r.count.Bytes(), r.spec.verdict())
}

// Policy returns the text of a built-in chain's policy, "-P FORWARD DROP", and its counter; ok is false where the table
// has no such chain.
func (s *Ruleset) Policy(t Table, chain string) (text string, count *Counter, ok bool) {
	c := s.find(t, chain)
	if c == nil || !c.builtin() {
		return "", nil, false
	}
	return c.policy.Text, c.count, true
}

// Rules returns the rules of a chain in order; the slice is the caller's. ok is false where the table has no such chain.
func (s *Ruleset) Rules(t Table, chain string) (rules []*Rule, ok bool) {
	c := s.find(t, chain)
	if c == nil {
		return nil, false
	}
	return append(rules, c.rules...), true
}

// Chains returns the names of a table's chains in the order of printing: built-in ones, then the user's by name.
func (s *Ruleset) Chains(t Table) (names []string) {
	for _, c := range s.tables[t] {
		names = append(names, c.name)
	}
	return names
}

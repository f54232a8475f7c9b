package firewall

import (
	"errors"
	"fmt"
	"slices"

	"uswitch/nat/rule"
)

// plan is a list of commands in the making, together with what the chains will hold after them: so each command knows what
// those before it have done.
type plan struct {
	tool   string // iptables or ip6tables
	now    *rule.Ruleset
	chains map[chainName][]string // their rules behind -A CHAIN; those that were not asked for yet are as now
	counts map[entry]int          // how often a rule stands in one of these chains, its head being of no account
	lines  []string
}

type chainName struct {
	table rule.Table
	name  string
}

// rules returns what a chain will hold. ok is false if there will be no such chain.
func (p *plan) rules(c chainName) (specs []string, ok bool) {
	if specs, ok = p.chains[c]; ok {
		return specs, true
	}
	list, ok := p.now.Rules(c.table, c.name)
	if !ok {
		return nil, false
	}
	for _, r := range list {
		spec := r.String()[len("-A "+c.name+" "):]
		specs = append(specs, spec)
		p.counts[entry{chainName: c, spec: spec}]++
	}
	p.chains[c] = specs
	return specs, true
}

// do adds a command.
func (p *plan) do(t rule.Table, command string) {
	p.lines = append(p.lines, p.tool+" -t "+t.String()+" "+command)
}

// place puts a rule into its chain, unless it stands anywhere in it.
func (p *plan) place(e entry) {
	specs, _ := p.rules(e.chainName)
	count := entry{chainName: e.chainName, spec: e.spec}
	if p.counts[count] > 0 {
		return
	}
	p.counts[count]++
	switch {
	case e.head:
		p.do(e.table, "-I "+e.name+" "+e.spec)
		p.chains[e.chainName] = slices.Insert(specs, 0, e.spec)
	default:
		p.do(e.table, "-A "+e.name+" "+e.spec)
		p.chains[e.chainName] = append(specs, e.spec)
	}
}

// remove takes a rule out of its chain, if it is there.
func (p *plan) remove(e entry) {
	specs, _ := p.rules(e.chainName)
	if i := slices.Index(specs, e.spec); i >= 0 {
		p.counts[entry{chainName: e.chainName, spec: e.spec}]--
		p.do(e.table, "-D "+e.name+" "+e.spec)
		p.chains[e.chainName] = slices.Delete(specs, i, i+1)
	}
}

// create makes a chain, unless it exists.
func (p *plan) create(t rule.Table, name string) {
	c := chainName{t, name}
	if _, ok := p.rules(c); !ok {
		p.do(t, "-N "+name)
		p.chains[c] = nil
	}
}

// lead makes jumps to other chains of the filter table the first rules of a chain, in this order. As dockerd does it, each
// is removed and inserted again, from the last to the first; but nothing is touched if all stand where they should.
func (p *plan) lead(chain string, to ...string) {
	var jumps []entry
	var want []string
	for _, name := range to {
		e := inserted(rule.Filter, chain, "-j", name)
		jumps, want = append(jumps, e), append(want, e.spec)
	}
	have, _ := p.rules(chainName{rule.Filter, chain})
	if slices.Equal(have[:min(len(have), len(want))], want) {
		return
	}
	for _, e := range slices.Backward(jumps) {
		p.remove(e)
		p.place(e)
	}
}

// drop sets the policy of a chain of the filter table to DROP, unless it is.
func (p *plan) drop(chain string) {
	if text, _, _ := p.now.Policy(rule.Filter, chain); text != "-P "+chain+" DROP" {
		p.do(rule.Filter, "-P "+chain+" DROP")
	}
}

// finish returns the commands, after all of them were tried on a copy of the rules: somebody may have removed the chain that
// a rule belongs to.
func (p *plan) finish() ([]string, error) {
	err := p.now.Draft().Apply(p.lines)
	if refused := new(rule.Error); errors.As(err, &refused) && refused.Line > 0 {
		line := p.lines[refused.Line-1]
		refused.Line = 0 // which is a number in a list that nobody gets to see
		return nil, fmt.Errorf("%s: %w", line, refused)
	}
	if err != nil {
		return nil, err
	}
	return p.lines, nil
}

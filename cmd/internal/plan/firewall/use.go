package firewall

import (
	"maps"

	"uswitch/nat/rule"
)

// plan returns an empty plan for the rules of this moment.
func (f *Firewall) plan(now *rule.Ruleset) *plan {
	p := &plan{tool: "iptables", now: now, chains: map[chainName][]string{}, counts: map[entry]int{}}
	if f.family == rule.IPv6 {
		p.tool = "ip6tables"
	}
	return p
}

// place plans rules, and counts their use if the plan can be carried out.
func (f *Firewall) place(now *rule.Ruleset, rules []entry) ([]string, error) {
	p := f.plan(now)
	for _, e := range rules {
		p.place(e)
	}
	lines, err := p.finish()
	if err != nil {
		return nil, err
	}
	for _, e := range rules {
		f.uses[e]++
	}
	return lines, nil
}

// remove plans the end of rules, except for those that somebody else has asked for as well. (A dockerd removes them all the
// same; nobody notices, because all ports of a container end at once there.)
func (f *Firewall) remove(now *rule.Ruleset, rules []entry) ([]string, error) {
	p := f.plan(now)
	uses := maps.Clone(f.uses)
	for _, e := range rules {
		if uses[e]--; uses[e] == 0 {
			delete(uses, e)
			p.remove(e)
		}
	}
	lines, err := p.finish()
	if err != nil {
		return nil, err
	}
	f.uses = uses
	return lines, nil
}

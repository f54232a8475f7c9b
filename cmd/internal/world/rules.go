package world

import (
	"errors"
	"fmt"

	"uswitch/cmd/internal/docker/host"
	"uswitch/cmd/internal/docker/rules"
	"uswitch/cmd/internal/lab"
	"uswitch/nat/rule"
)

// UplinkName is what rules, routes and the trace call the way out.
const UplinkName = "uplink"

// Rules returns the rules that a lab begins with, as lines of iptables: its own, Docker's, or the few that make of the
// gateway what a Docker host is. Published ports add theirs when they are opened (see openRules).
func Rules(plan *lab.Plan) ([]string, error) {
	_, lines, err := firstRules(plan)
	return lines, err
}

// firstRules also returns the dockerd that goes on where the rules are Docker's, or nil.
func firstRules(plan *lab.Plan) (*rules.Firewall, []string, error) {
	switch {
	case plan.Rules != nil:
		return nil, plan.Rules, nil
	case plan.DockerRules == "":
		return nil, ownRules(plan), nil
	}
	dialect, err := rules.ParseDialect(plan.DockerRules)
	if err != nil {
		return nil, nil, err
	}
	return host.Firewall(plan, dialect)
}

// rulesError names the place of a bad rule, if the file has written it.
func rulesError(plan *lab.Plan, err error) error {
	var bad *rule.Error
	if plan.Rules == nil || !errors.As(err, &bad) || bad.Line < 1 || bad.Line > len(plan.Rules) {
		return fmt.Errorf("the lab's rules: %w", err)
	}
	i := bad.Line - 1
	return fmt.Errorf("%s: x-uswitch.rules.%d: %q: %s", plan.Source, i, plan.Rules[i], bad.Text)
}

// ownRules are uswitch's own.
//
//	nat     POSTROUTING  what leaves a network takes the address of the way out, unless the lab says otherwise
//	filter  FORWARD      answers pass; networks reach themselves and, if they are not internal, the outside; nothing else
func ownRules(plan *lab.Plan) []string {
	lines := []string{
		"-P FORWARD DROP",
		"-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
	}
	for _, n := range plan.Networks {
		if n.Masquerade {
			lines = append(lines, fmt.Sprintf("-t nat -A POSTROUTING -s %v ! -o %s -j MASQUERADE", n.Subnet, n.Name))
		}
		if !n.Internal {
			lines = append(lines, fmt.Sprintf("-A FORWARD -i %s -o %s -j ACCEPT", n.Name, UplinkName))
		}
		lines = append(lines, fmt.Sprintf("-A FORWARD -i %s -o %s -j ACCEPT", n.Name, n.Name))
	}
	return lines
}

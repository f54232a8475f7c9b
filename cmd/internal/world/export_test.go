package world

import (
	"uswitch/cmd/internal/plan"
	"uswitch/nat/rule"
)

// Rules returns the rules that a lab begins with.
func Rules(p *plan.Plan) ([]string, error) {
	_, lines, err := firstRules(p, rule.IPv4)
	return lines, err
}

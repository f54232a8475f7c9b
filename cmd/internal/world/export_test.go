package world

import "uswitch/cmd/internal/plan"

// Rules returns the rules that a lab begins with.
func Rules(p *plan.Plan) ([]string, error) {
	_, lines, err := firstRules(p)
	return lines, err
}

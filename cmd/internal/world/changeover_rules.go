package world

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// rulesChange reports whether the file has other rules than before. As long as it does not, what people have changed by
// hand is theirs.
func (c *changeover) rulesChange() bool {
	return c.old.DockerRules != c.now.DockerRules || !reflect.DeepEqual(c.old.Rules, c.now.Rules)
}

// gatewayAndRules is ip_forward, and the rules as a whole if the file has others.
func (c *changeover) gatewayAndRules() {
	if c.old.IPForward != c.now.IPForward {
		before := c.gateway.Forwarding()
		c.add(move{line: fmt.Sprintf("~ gateway ip_forward=%d", map[bool]int{true: 1}[c.now.IPForward]),
			do:   func(context.Context) error { c.gateway.SetForwarding(c.now.IPForward); return nil },
			undo: func() error { c.gateway.SetForwarding(before); return nil }})
	}
	if !c.rulesChange() {
		return
	}
	var text string
	var docker *firewall.Firewall
	var before *plan.Plan
	c.add(move{line: "~ rules",
		do: func(context.Context) error {
			text, docker, before = c.gateway.Rules().Snapshot().Save(rule.SaveOptions{Counters: true}), c.docker, c.Plan()
			return c.newRules(c.now)
		},
		undo: func() error {
			c.docker = docker
			c.change(func(p *picture) { p.plan.Rules, p.plan.DockerRules = before.Rules, before.DockerRules })
			return c.gateway.Rules().Restore(strings.NewReader(text), rule.RestoreOptions{Counters: true})
		}})
}

// newRules replaces all rules by those with which the lab, as it is now, would begin if it had the rules of a plan.
func (w *World) newRules(from *plan.Plan) error {
	labPlan := *w.Plan()
	labPlan.Rules, labPlan.DockerRules = from.Rules, from.DockerRules
	docker, tables, err := tablesOf(&labPlan)
	if err != nil {
		return err
	}
	if err := w.gateway.Rules().Restore(strings.NewReader(tables.Snapshot().Save(rule.SaveOptions{})), rule.RestoreOptions{}); err != nil {
		return err
	}
	w.docker = docker
	w.change(func(p *picture) { p.plan.Rules, p.plan.DockerRules = from.Rules, from.DockerRules })
	var failed []error
	for _, p := range w.Published() {
		failed = append(failed, w.openRules(p))
	}
	return errors.Join(failed...)
}

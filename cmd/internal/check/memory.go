package check

import (
	"context"
	"fmt"
	"time"

	"uswitch/cmd/internal/ask"
	"uswitch/nat/rule"
	"uswitch/sim"
)

// Memory is a lab that the simulator has built: nothing runs in it.
type Memory struct{ World *sim.World }

// Explain implements Subject.
func (m Memory) Explain(_ context.Context, q ask.Question) (*ask.Answer, error) {
	return ask.LabOf(m.World).Explain(q)
}

// WhyNot implements Subject.
func (m Memory) WhyNot(_ context.Context, q ask.Question) (*ask.Advice, error) {
	return ask.LabOf(m.World).WhyNot(q)
}

// Table implements Subject, for the rules only: the other tables of a lab in which nothing has happened yet are empty.
func (m Memory) Table(_ context.Context, name string) ([]string, error) {
	if name != "rules" {
		return nil, fmt.Errorf("table %s: a lab in memory in which nothing runs has the rules only", name)
	}
	return ruleRows(m.World.Gateway().Rules().Snapshot().Save(rule.SaveOptions{Now: time.Time{}})), nil
}

// Command implements Subject.
func (m Memory) Command(context.Context, string, []string) (string, int, error) {
	return "", 0, errInMemory
}

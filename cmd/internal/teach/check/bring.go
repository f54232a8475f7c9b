package check

import (
	"context"
	"errors"
	"fmt"
	"os"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
)

// Bring brings a lab up, in memory if simulated, and takes it down when beside, which gets the lab's client, has returned. What
// the lab has to say meanwhile goes to messages. The result is what beside returned, or why there was no lab.
type Bring func(p *plan.Plan, simulated bool, messages *os.File, beside func(context.Context, *api.Client) error) error

// OfPlan makes the checks of a plan on the lab of its name that is up or, if there is none, on one that is up for as long as
// it takes, in memory if simulated. What the lab has to say meanwhile goes to messages.
func OfPlan(ctx context.Context, bring Bring, p *plan.Plan, simulated bool, messages *os.File) (*Report, error) {
	if err := some(p); err != nil {
		return nil, err // before anything is brought up for nothing
	}
	for _, up := range api.Up() {
		if up.Lab() == p.Name {
			return of(ctx, up, p)
		}
	}
	var report *Report
	err := bring(p, simulated, messages, func(ctx context.Context, up *api.Client) (err error) {
		report, err = of(ctx, up, p)
		return errors.Join(err, ctx.Err())
	})
	return report, err
}

// Up makes the checks of a lab that is up: those of the file that it was made from.
func Up(ctx context.Context, up *api.Client) (*Report, error) {
	var plans api.Plans[plan.Plan]
	if err := up.Get(ctx, "/v1/plan", nil, &plans); err != nil {
		return nil, err
	}
	return of(ctx, up, plans.Plan)
}

func of(ctx context.Context, up *api.Client, p *plan.Plan) (*Report, error) {
	if err := some(p); err != nil {
		return nil, err
	}
	live, err := NewLive(up)
	if err != nil {
		return nil, err
	}
	return Run(ctx, live, p.Name, p.Checks), nil
}

// some refuses a lab that says nothing about what must hold.
func some(p *plan.Plan) error {
	if len(p.Checks) == 0 {
		return fmt.Errorf("%s: it has no checks: x-uswitch.checks says what must hold", p.Source)
	}
	return nil
}

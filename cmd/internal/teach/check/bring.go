package check

import (
	"context"
	"errors"
	"fmt"
	"os"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
)

// OfPlan makes the checks of a plan on the lab of its name that is up or, if there is none, on one that is up for as long as
// it takes, in memory if simulated. What the lab has to say meanwhile goes to messages.
func OfPlan(ctx context.Context, p *plan.Plan, simulated bool, messages *os.File) (*Report, error) {
	if err := some(p); err != nil {
		return nil, err // before anything is brought up for nothing
	}
	for _, up := range api.Up() {
		if up.Lab() == p.Name {
			return of(ctx, up, p)
		}
	}
	quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer quiet.Close()
	var report *Report
	_, err = session.Run(session.Options{Plan: p, Simulated: simulated, Trace: "off", Stdout: quiet, Stderr: messages,
		Beside: func(ctx context.Context, up *api.Client) (_ int, err error) {
			report, err = of(ctx, up, p)
			return 0, errors.Join(err, ctx.Err())
		}})
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

package check

import (
	"context"
	"errors"
	"os"

	"uswitch/cmd/internal/control"
	"uswitch/cmd/internal/lab"
	"uswitch/cmd/internal/session"
)

// OfPlan makes the checks of a plan on the lab of its name that is up or, if there is none, on one that is up for as long as
// it takes, in memory if simulated. What the lab has to say meanwhile goes to messages.
func OfPlan(ctx context.Context, plan *lab.Plan, simulated bool, messages *os.File) (*Report, error) {
	for _, up := range control.Up() {
		if up.Lab() == plan.Name {
			return of(ctx, up, plan)
		}
	}
	quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer quiet.Close()
	var report *Report
	_, err = session.Run(session.Options{Plan: plan, Simulated: simulated, Trace: "off", Stdout: quiet, Stderr: messages,
		Beside: func(ctx context.Context, up *control.Client) (_ int, err error) {
			report, err = of(ctx, up, plan)
			return 0, errors.Join(err, ctx.Err())
		}})
	return report, err
}

func of(ctx context.Context, up *control.Client, plan *lab.Plan) (*Report, error) {
	live, err := NewLive(up)
	if err != nil {
		return nil, err
	}
	return Run(ctx, live, plan.Name, plan.Checks), nil
}

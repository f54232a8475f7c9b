package check

import (
	"context"
	"os"

	"uswitch/cmd/internal/control"
	"uswitch/cmd/internal/lab"
	"uswitch/cmd/internal/session"
)

// OfPlan makes the checks of a plan on the lab of its name that is up or, if there is none, on one that is up for as long as
// it takes, in memory if simulated. What the lab has to say meanwhile goes to messages.
func OfPlan(ctx context.Context, plan *lab.Plan, simulated bool, messages *os.File) (*Report, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, up := range control.Up() {
		if up.Lab() == plan.Name {
			return Run(ctx, Live{up, program}, plan.Name, plan.Checks), nil
		}
	}
	quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer quiet.Close()
	var report *Report
	_, err = session.Run(session.Options{Plan: plan, Simulated: simulated, Trace: "off", Stdout: quiet, Stderr: messages,
		Beside: func(ctx context.Context, up *control.Client) (int, error) {
			report = Run(ctx, Live{up, program}, plan.Name, plan.Checks)
			return 0, ctx.Err()
		}})
	return report, err
}

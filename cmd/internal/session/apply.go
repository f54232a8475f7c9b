package session

import (
	"context"
	"io"
	"net/http"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
)

// ApplyOptions are what a person can say about one Apply.
type ApplyOptions struct {
	Load   plan.LoadOptions // Name and Uplink as the lab was brought up with, if they were not the file's
	Keep   bool             // the lab stays up when its commands have ended, whatever the file says
	DryRun bool             // only say what would change
}

// Apply makes a lab that is up what a file says, and returns a line for each change. The file's warnings are written to
// warnings.
func Apply(ctx context.Context, file string, options ApplyOptions, warnings io.Writer) (lines []string, err error) {
	o := options.Load
	first, err := Read(file, o, io.Discard)
	if err != nil {
		return nil, err
	}
	c, err := api.Find(first.Name)
	if err != nil {
		return nil, err
	}
	var up api.Plans[plan.Plan]
	if err := c.Get(ctx, "/v1/plan", nil, &up); err != nil {
		return nil, err
	}
	o.Keep, o.Filed = up.Plan, up.Filed
	p, err := Load(file, o, warnings)
	if err != nil {
		return nil, err
	}
	p.KeepUp = p.KeepUp || options.Keep
	var answer api.ApplyAnswer
	err = c.Do(ctx, http.MethodPost, "/v1/apply", nil, api.ApplyRequest[plan.Plan]{Plan: p, DryRun: options.DryRun}, &answer)
	return answer.Lines, err
}

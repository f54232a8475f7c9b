package session

import (
	"context"
	"io"
	"net/http"

	"uswitch/cmd/internal/control"
	"uswitch/cmd/internal/lab"
)

// Apply makes a lab that is up what a file says, and returns a line for each change. The lab is the one that the file, or
// o.Name, names. With dryRun nothing is changed. The file's warnings are written to warnings.
func Apply(ctx context.Context, file string, o lab.LoadOptions, dryRun bool, warnings io.Writer) (lines []string, err error) {
	first, err := Read(file, o, io.Discard)
	if err != nil {
		return nil, err
	}
	c, err := control.Find(first.Name)
	if err != nil {
		return nil, err
	}
	var up control.Plans
	if err := c.Get(ctx, "/v1/plan", nil, &up); err != nil {
		return nil, err
	}
	o.Keep, o.Filed = up.Plan, up.Filed
	plan, err := Load(file, o, warnings)
	if err != nil {
		return nil, err
	}
	var answer control.ApplyAnswer
	err = c.Do(ctx, http.MethodPost, "/v1/apply", nil, control.ApplyRequest{Plan: plan, DryRun: dryRun}, &answer)
	return answer.Lines, err
}

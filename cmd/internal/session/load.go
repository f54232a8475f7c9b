package session

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
)

// Load makes the plan of a lab on this machine - its environment fills in ${VARIABLES}, its routes are kept clear of - and
// writes the plan's warnings.
func Load(name string, o plan.LoadOptions, warnings io.Writer) (*plan.Plan, error) {
	o.Taken, o.OuterMTU = routes(), outerMTU
	return Read(name, o, warnings)
}

// Read is Load for a lab that is not to run here: of this machine, only the environment counts.
func Read(name string, o plan.LoadOptions, warnings io.Writer) (*plan.Plan, error) {
	if _, err := os.Getwd(); err != nil {
		return nil, fmt.Errorf("the current directory is gone or cannot be read: cd to another one (%w)", err)
	}
	o.Env, o.Stdin = environment(), os.Stdin
	p, err := plan.Load(name, o)
	if err != nil {
		return nil, err
	}
	for _, w := range p.Warnings {
		fmt.Fprintln(warnings, "uswitch: warning:", w)
	}
	return p, nil
}

// ReadProject reads a Compose project as docker compose does, and writes its warnings.
func ReadProject(name string, o plan.LoadOptions, warnings io.Writer) (*types.Project, error) {
	o.Env, o.Stdin = environment(), os.Stdin
	p, lines, err := plan.LoadProject(name, o)
	for _, w := range lines {
		fmt.Fprintln(warnings, "uswitch: warning:", w)
	}
	return p, err
}

// environment returns the variables of this process.
func environment() map[string]string {
	all := map[string]string{}
	for _, line := range os.Environ() {
		key, value, _ := strings.Cut(line, "=")
		all[key] = value
	}
	return all
}

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

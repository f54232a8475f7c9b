package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/hosttool"
)

// labOrPlan finds the lab that a command with another program's words acts on. Where none is up, and none but the lab of the
// docker commands is meant, that answers from its plan, as `docker network ls` does: commands that only look start nothing,
// and the first that changes something brings the lab up. end is called when the command is over.
func labOrPlan(ctx context.Context, name string) (l hosttool.Lab, end func(), err error) {
	found, err := findLab(name)
	if err == nil {
		return found, func() {}, nil
	}
	d, up, noPlan := client.Find(name, func(name string) (*api.Client, error) {
		if name != api.HostLab {
			return nil, err
		}
		return session.RestingEngine(api.HostLab, plan.LoadOptions{Name: name})
	})
	if up || noPlan != nil || len(api.Up()) > 0 {
		return nil, nil, err
	}
	p, err := session.Load(api.HostLab, plan.LoadOptions{}, io.Discard)
	if err != nil {
		return nil, nil, err
	}
	looks, end, err := session.Resting(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	return &restingLab{looks, d}, end, nil
}

// onLabOrPlan makes a command one that acts on a lab that is up, or looks at the one that would be begun.
func onLabOrPlan(c *cobra.Command, run func(ctx context.Context, lab hosttool.Lab) error) *cobra.Command {
	name := labFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return withLabOrPlan(c.Context(), *name, run) }
	return c
}

func withLabOrPlan(ctx context.Context, name string, run func(ctx context.Context, lab hosttool.Lab) error) error {
	lab, end, err := labOrPlan(ctx, name)
	if err != nil {
		return err
	}
	defer end()
	return run(ctx, lab)
}

// looking returns the lab for a request that changes nothing, whatever its method is: no lab is begun for it.
func looking(l hosttool.Lab) hosttool.Lab {
	if r, rests := l.(*restingLab); rests {
		return r.now
	}
	return l
}

// restingLab answers from the plan of a lab that is not up, until something is changed.
type restingLab struct {
	now   *api.Client
	begin *client.Client // nil: the lab has begun
}

// Get implements hosttool.Lab.
func (r *restingLab) Get(ctx context.Context, path string, query url.Values, into any) error {
	return r.now.Get(ctx, path, query, into)
}

// Do implements hosttool.Lab.
func (r *restingLab) Do(ctx context.Context, method, path string, query url.Values, body, into any) error {
	if method != http.MethodGet && r.begin != nil {
		begun, err := r.begin.Begin(ctx, os.Stderr)
		if err != nil {
			return err
		}
		r.now, r.begin = begun.Lab(), nil
	}
	return r.now.Do(ctx, method, path, query, body, into)
}

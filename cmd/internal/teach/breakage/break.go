package breakage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"uswitch/cmd/internal/control/api"
	compose "uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/teach/check"
)

// Broken is a lab in which something is broken.
type Broken struct {
	Lab     string          `json:"lab"`
	Started time.Time       `json:"started"` // of the lab: another lab of that name is whole
	Seed    uint64          `json:"seed"`
	Fault   Fault           `json:"fault"`
	Checks  []compose.Check `json:"checks"` // that held before
	Hint    string          `json:"hint"`   // what does not work any more
}

// Break breaks one thing in a lab: the first, in the order of the seed, whose damage can be noticed. What cannot be broken is
// left as it was.
func Break(ctx context.Context, c *api.Client, s check.Subject, seed uint64) (*Broken, error) {
	l, err := look(ctx, c)
	if err != nil {
		return nil, err
	}
	checks, err := symptoms(ctx, c, s, l)
	if err != nil {
		return nil, err
	}
	for _, f := range shuffled(l.faults(), seed) {
		if err := do(ctx, s, f.Break); err != nil {
			undo(ctx, s, f.Mend)
			continue
		}
		r := check.Run(ctx, s, c.Lab(), checks)
		for _, o := range r.Outcomes {
			if o.State == check.Fails {
				return &Broken{Lab: c.Lab(), Started: l.info.Started, Seed: seed, Fault: f, Checks: checks, Hint: "does not hold any more: " + o.What}, nil
			}
		}
		if failed := undo(ctx, s, f.Mend); failed != nil {
			return nil, fmt.Errorf("lab %s: %w", c.Lab(), errors.Join(failed...))
		}
	}
	return nil, fmt.Errorf("lab %s: nothing in it can be broken so that anybody would notice", c.Lab())
}

func (l *lab) faults() []Fault {
	return append(append(l.gatewayFaults(), l.switchFaults()...), l.hostFaults()...)
}

// shuffled puts faults into an order in which each kind is as likely to be first as any other.
func shuffled(all []Fault, seed uint64) (order []Fault) {
	random := rand.New(rand.NewPCG(seed, seed))
	names := kinds(all)
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, name := range names {
		for _, f := range all {
			if f.Name == name {
				order = append(order, f)
			}
		}
	}
	return order
}

// Mend undoes what was broken. The error says what could not be undone, perhaps because it was undone before.
func (b *Broken) Mend(ctx context.Context, s check.Subject) error {
	return errors.Join(undo(ctx, s, b.Fault.Mend)...)
}

// Check makes the checks that held before. It says what fails, and neither why nor what would mend it: that is for the person
// to find out.
func (b *Broken) Check(ctx context.Context, s check.Subject) *check.Report {
	r := check.Run(ctx, s, b.Lab, b.Checks)
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		if o.State == check.Fails {
			*o = check.Outcome{Name: o.Name, State: o.State, What: o.What}
		}
	}
	return r
}

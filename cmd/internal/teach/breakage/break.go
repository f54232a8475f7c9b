package breakage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/teach/check"
	"uswitch/cmd/internal/teach/state"
)

// Broken is a lab in which something is broken.
type Broken struct {
	Lab     string       `json:"lab"`
	Started time.Time    `json:"started"` // of the lab: another lab of that name is whole
	Seed    uint64       `json:"seed"`
	Fault   Fault        `json:"fault"`
	Checks  []plan.Check `json:"checks"` // that held before
	Hint    string       `json:"hint"`   // what does not work any more
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
			undo(ctx, s, f.Fix)
			continue
		}
		r := check.Run(ctx, s, c.Lab(), checks)
		for _, o := range r.Outcomes {
			if o.State == check.Fails {
				return &Broken{Lab: c.Lab(), Started: l.info.Started, Seed: seed, Fault: f, Checks: checks, Hint: "does not hold any more: " + o.What}, nil
			}
		}
		if failed := undo(ctx, s, f.Fix); failed != nil {
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

// Fix undoes what was broken. The error says what could not be undone, perhaps because it was undone before.
func (b *Broken) Fix(ctx context.Context, s check.Subject) error {
	return errors.Join(undo(ctx, s, b.Fault.Fix)...)
}

// Check makes the checks that held before. It says what fails, and neither why nor what would fix it: that is for the person
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

// Action is a command: a program inside a host, or a subcommand of uswitch if there is no host.
type Action struct {
	Host string   `json:"host,omitempty"`
	Argv []string `json:"argv"`
}

// inside is a command in a host; outside is one of uswitch's own.
func inside(host, line string) Action { return Action{host, strings.Fields(line)} }

func outside(line string) Action {
	return Action{"", append([]string{"uswitch"}, strings.Fields(line)...)}
}

// String returns the action as a person types it.
func (a Action) String() string {
	if a.Host == "" {
		return strings.Join(a.Argv, " ")
	}
	return "uswitch exec " + a.Host + " -- " + strings.Join(a.Argv, " ")
}

// Fault is one thing that can be broken.
type Fault struct {
	Name  string   `json:"name"` // of its kind: rule-removed, interface-down
	Break []Action `json:"break"`
	Fix   []Action `json:"mend"` // undoes Break, as far as it is still to be undone
}

// do carries actions out, up to the first that fails.
func do(ctx context.Context, s check.Subject, actions []Action) error {
	for _, a := range actions {
		output, status, err := s.Command(ctx, a.Host, a.Argv)
		if err == nil && status != 0 {
			err = fmt.Errorf("`%v` ends with status %d: %s", a, status, strings.TrimSpace(output))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// undo carries actions out all the same if one of them fails: it may be that a person has undone it already.
func undo(ctx context.Context, s check.Subject, actions []Action) (failed []error) {
	for _, a := range actions {
		if err := do(ctx, s, []Action{a}); err != nil {
			failed = append(failed, err)
		}
	}
	return failed
}

// kinds returns the names of the kinds of faults there are among some, sorted.
func kinds(all []Fault) (names []string) {
	for _, f := range all {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fileOf returns where it is kept what is broken in a lab.
func fileOf(lab string) string { return "broken-" + lab + ".json" }

// Save keeps what is broken in a directory.
func (b *Broken) Save(dir string) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return state.Write(dir, fileOf(b.Lab), text)
}

// Forget forgets what was broken.
func (b *Broken) Forget(dir string) error { return os.Remove(filepath.Join(dir, fileOf(b.Lab))) }

// Load returns what is broken in a lab that is up, and nil if nothing is. What was broken in an earlier run of the lab went
// with it.
func Load(ctx context.Context, dir string, c *api.Client) (*Broken, error) {
	text, err := os.ReadFile(filepath.Join(dir, fileOf(c.Lab())))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	b := &Broken{}
	if err == nil {
		err = json.Unmarshal(text, b)
	}
	if err != nil {
		return nil, fmt.Errorf("what is broken in lab %s cannot be read: %w", c.Lab(), err)
	}
	var info api.Lab
	if err := c.Get(ctx, "/v1/lab", nil, &info); err != nil {
		return nil, err
	}
	if !info.Started.Equal(b.Started) {
		return nil, nil
	}
	return b, nil
}

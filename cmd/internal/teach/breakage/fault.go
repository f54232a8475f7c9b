package breakage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"uswitch/cmd/internal/teach/check"
)

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
	Name  string   `json:"name"` // of its kind: rule-removed, card-down
	Break []Action `json:"break"`
	Mend  []Action `json:"mend"` // undoes Break, as far as it is still to be undone
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

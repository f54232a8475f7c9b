package check

import (
	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
)

// State is what has become of a check.
type State string

// The states.
const (
	Holds   State = "holds"
	Fails   State = "fails"
	Unknown State = "unknown" // it could not be found out
)

// Outcome is a check and what has become of it.
type Outcome struct {
	Name    string      `json:"name"`
	State   State       `json:"state"`
	What    string      `json:"what"`             // the check in words
	Why     string      `json:"why,omitempty"`    // what is not as it should be, or why that is unknown
	Where   string      `json:"where,omitempty"`  // what is in the packet's way: gateway forward
	Reason  string      `json:"reason,omitempty"` // its name
	Rule    *api.Rule   `json:"rule,omitempty"`   // that is in the way, or the policy
	Remedy  []string    `json:"remedy,omitempty"` // what would mend it, in this order
	Output  string      `json:"output,omitempty"` // of a command that did not do what it should
	Sent    *api.Sent   `json:"sent,omitempty"`   // the real packet that has decided
	Checked *plan.Check `json:"-"`

	answer *api.Answer // of a question
}

// Report is all outcomes, in the order of the file.
type Report struct {
	Lab      string    `json:"lab"`
	Outcomes []Outcome `json:"checks"`
}

// Status is the exit status of a report: 0 if everything holds, 1 if something does not, 2 if as far as could be found out
// everything does, and not everything could.
func (r *Report) Status() int {
	switch {
	case r.Count(Fails) > 0:
		return 1
	case r.Count(Unknown) > 0:
		return 2
	}
	return 0
}

// Count returns how many outcomes have a state.
func (r *Report) Count(s State) (n int) {
	for _, o := range r.Outcomes {
		if o.State == s {
			n++
		}
	}
	return n
}

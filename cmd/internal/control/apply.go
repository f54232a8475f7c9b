package control

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
)

// applyPath is where a plan is sent to.
const applyPath = "/v1/apply"

// applyTime bounds how long a lab may take to become another one: its commands have world.Patience to end, those of hosts that
// go first, and then those that change.
const applyTime = 2*world.Patience + 15*time.Second

// maxPlan bounds the plan that is to be applied: the largest lab has a few thousand hosts, of less than a kilobyte each.
const maxPlan = 16 << 20

// Plans is the answer of /v1/plan: what there is now, and what the lab was made from or had applied last, without what
// people have added by hand.
type Plans struct {
	Plan  *plan.Plan `json:"plan"`
	Filed *plan.Plan `json:"filed"`
}

// ApplyRequest asks for a lab to become what a plan says.
type ApplyRequest struct {
	Plan   *plan.Plan `json:"plan"`
	DryRun bool       `json:"dry_run,omitempty"` // only say what would change
}

// ApplyAnswer has a line for each change, in the order in which they were made.
type ApplyAnswer struct {
	Lines []string `json:"lines"`
}

func (s *Server) plans(*http.Request) (any, error) {
	return Plans{Plan: s.world.Plan(), Filed: s.world.Filed()}, nil
}

// apply may take longer than other answers, and its request may be larger. Once begun, it is brought to an end, whatever
// becomes of the client.
func (s *Server) apply(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Now().Add(applyTime + writeTime))
	var request ApplyRequest
	if err := decode(r, &request); err != nil {
		fail(w, err)
		return
	}
	if request.Plan == nil {
		fail(w, &Error{Code: http.StatusBadRequest, Message: "apply: want a plan"})
		return
	}
	do := s.world.Apply
	if request.DryRun {
		do = s.world.Preview
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), applyTime)
	defer cancel()
	lines, err := do(ctx, request.Plan)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(ApplyAnswer{Lines: append([]string{}, lines...)})
}

package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
)

// applyTime bounds how long a lab may take to become another one: its commands have world.Patience to end, those of hosts that
// go first, and then those that change.
const applyTime = 2*world.Patience + 15*time.Second

// maxPlan bounds the plan that is to be applied: the largest lab has a few thousand hosts, of less than a kilobyte each.
const maxPlan = 16 << 20

func (s *Server) plans(*http.Request) (any, error) {
	return api.Plans[plan.Plan]{Plan: s.world.Plan(), Filed: s.world.Filed()}, nil
}

// apply may take longer than other answers, and its request may be larger. Once begun, it is brought to an end, whatever
// becomes of the client.
func (s *Server) apply(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Now().Add(applyTime + writeTime))
	var request api.ApplyRequest[plan.Plan]
	if err := decode(r, &request); err != nil {
		fail(w, err)
		return
	}
	if request.Plan == nil {
		fail(w, &api.Error{Code: http.StatusBadRequest, Message: "apply: want a plan"})
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
	_ = json.NewEncoder(w).Encode(api.ApplyAnswer{Lines: append([]string{}, lines...)})
}

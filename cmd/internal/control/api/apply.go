package api

// ApplyPath is where a plan is sent to.
const ApplyPath = "/v1/apply"

// Plans is the answer of /v1/plan: what there is now, and what the lab was made from or had applied last, without what
// people have added by hand. P is package plan's Plan, which not everybody who knows this package needs to know.
type Plans[P any] struct {
	Plan  *P `json:"plan"`
	Filed *P `json:"filed"`
}

// ApplyRequest asks for a lab to become what a plan says.
type ApplyRequest[P any] struct {
	Plan   *P   `json:"plan"`
	DryRun bool `json:"dry_run,omitempty"` // only say what would change
}

// ApplyAnswer has a line for each change, in the order in which they were made.
type ApplyAnswer struct {
	Lines []string `json:"lines"`
}

package plan_test

import (
	"testing"

	"uswitch/cmd/internal/plan"
)

// TestULA: what Docker makes of two IDs of its host.
func TestULA(t *testing.T) {
	for id, want := range map[string]string{"": "fd42:98fc:1c14::/48", "499d4bc0-b0b3-416f-b1ee-cf6486315593": "fd62:fb69:18af::/48"} {
		if got := plan.ULA(id).String(); got != want {
			t.Errorf("%q: %s, want %s", id, got, want)
		}
	}
}

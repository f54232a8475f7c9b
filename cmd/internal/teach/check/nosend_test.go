package check_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/teach/check"
)

// TestNoSend: with NoSend a prediction alone decides, no packet is asked for, and every form of the report says so.
func TestNoSend(t *testing.T) {
	t.Parallel()
	var probes int
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/explain", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(api.Answer{Verdict: api.Yes, Works: true})
	})
	mux.HandleFunc("POST /v1/probes", func(w http.ResponseWriter, _ *http.Request) {
		probes++
		_ = json.NewEncoder(w).Encode([]*api.Sent{{Verdict: api.No, Heard: "nothing", Tried: api.Yes, Differs: true}})
	})
	p := parsed(t, "{name: c, from: RED, to: BLUE}")
	live := check.Live{Lab: api.InProcess(mux, "lab")}
	for _, noSend := range []bool{false, true} {
		live.NoSend = noSend
		report := check.Run(t.Context(), live, "lab", p.Checks)
		if want := map[bool]int{false: 1, true: 0}[noSend]; report.Status() != want || report.NoSend != noSend {
			t.Errorf("no send %v: status %d, want %d: %+v", noSend, report.Status(), want, report)
		}
		if probes != 1 {
			t.Errorf("no send %v: %d packets were asked for so far, want 1", noSend, probes)
		}
		var text, junit bytes.Buffer
		if err := report.WriteText(&text); err != nil {
			t.Error(err)
		}
		if err := report.WriteJUnit(&junit); err != nil {
			t.Error(err)
		}
		for _, form := range []string{text.String(), junit.String()} {
			if strings.Contains(form, "no packet was sent for a question") != noSend {
				t.Errorf("no send %v: the report says\n%s", noSend, form)
			}
		}
	}
}

package engine_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/docker/types"
)

// told returns the events that a filter chooses, of all that are kept, as Docker tells them: type, action and, of some, a number.
func told(t *testing.T, e *engine.Engine, filters string) (lines []string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/events?"+url.Values{"since": {"1"}, "until": {"1.5"}, "filters": {filters}}.Encode(), nil)
	q := r.URL.Query()
	q.Set("until", "32503680000")
	r.URL.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	e.Handler().ServeHTTP(w, r.WithContext(ctx))
	if w.Code != http.StatusOK {
		return []string{strings.TrimSpace(w.Body.String())}
	}
	for d := json.NewDecoder(w.Body); ; {
		var event types.Event
		if d.Decode(&event) != nil {
			return lines
		}
		line := event.Type + " " + event.Action
		for _, key := range []string{"signal", "exitCode"} {
			if v := event.Actor.Attributes[key]; v != "" {
				line += " " + key + "=" + v
			}
		}
		if event.TimeNano == 0 || event.Scope != "local" || event.Actor.ID == "" || event.Type == "container" && (event.From == "" || event.ID != event.Actor.ID) {
			line += " INCOMPLETE"
		}
		lines = append(lines, line)
	}
}

// TestEvents: what Docker 20.10.24 told when the same was done to it, in its order.
func TestEvents(t *testing.T) {
	e := newFake(t, "").engine(t)
	if _, err := e.CreateNetwork(types.NetworkCreateRequest{Name: "n1"}); err != nil {
		t.Fatal(err)
	}
	r := sleeper("n1")
	r.Config.Labels = map[string]string{"a": "b"}
	id := start(t, e, "web", r)
	if err := e.Stop("web", time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := e.Start("web"); err != nil {
		t.Fatal(err)
	}
	if err := e.Connect("bridge", types.NetworkConnectRequest{Container: "web"}); err != nil {
		t.Fatal(err)
	}
	if err := e.Disconnect("bridge", types.NetworkDisconnectRequest{Container: "web"}); err != nil {
		t.Fatal(err)
	}
	if err := e.Remove("web", true); err != nil {
		t.Fatal(err)
	}
	if err := e.RemoveNetwork("n1"); err != nil {
		t.Fatal(err)
	}
	want := []string{"network create", "container create", "network connect", "container start",
		"container kill signal=15", "container die exitCode=143", "network disconnect", "container stop",
		"network connect", "container start", "network connect", "network disconnect",
		"container kill signal=9", "container die exitCode=137", "network disconnect", "container destroy", "network destroy"}
	if got := told(t, e, ""); !slices.Equal(got, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for filter, n := range map[string]int{`{"type":{"network":true}}`: 8, `{"event":{"die":true}}`: 2, `{"container":{"web":true},"type":{"container":true}}`: 9,
		`{"container":{"` + id[:12] + `":true},"event":{"connect":true}}`: 3, `{"label":{"a=b":true},"event":{"start":true,"stop":true}}`: 3, `{"label":{"a=c":true}}`: 0,
		`{"network":{"n1":true}}`: 6, `{"image":{"busybox":true}}`: 9} {
		if got := told(t, e, filter); len(got) != n {
			t.Errorf("%s: %d, want %d: %v", filter, len(got), n, got)
		}
	}
	if got := told(t, e, `{"colour":{"red":true}}`); len(got) != 1 || !strings.Contains(got[0], "invalid filter 'colour'") {
		t.Errorf("a filter that there is not: %v", got)
	}
	for range 300 {
		create(t, e, "", sleeper("n2"))
	}
	if got := told(t, e, ""); len(got) != 256 {
		t.Errorf("%d events are kept", len(got))
	}
}

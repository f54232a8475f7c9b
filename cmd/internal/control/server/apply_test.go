package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
)

// reread reads a file for the lab that the client talks to, as uswitch apply does.
func (s *running) reread(t *testing.T, text string) *plan.Plan {
	t.Helper()
	var up api.Plans[plan.Plan]
	if err := s.Get(context.Background(), "/v1/plan", nil, &up); err != nil {
		t.Fatal(err)
	}
	p, err := plan.Parse("w.yaml", []byte(text), plan.LoadOptions{Keep: up.Plan, Filed: up.Filed})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestApply(t *testing.T) {
	s := start(t)
	s.Start()
	ctx := context.Background()
	p := s.reread(t, strings.Replace(twoHosts, "  BLUE:", "  GREEN: {networks: [br0]}\n  BLUE:", 1))
	want := []string{"+ host GREEN 11.11.11.4"}
	for _, dry := range []bool{true, false} {
		var answer api.ApplyAnswer
		err := s.Do(ctx, http.MethodPost, "/v1/apply", nil, api.ApplyRequest[plan.Plan]{Plan: p, DryRun: dry}, &answer)
		if err != nil || !slices.Equal(answer.Lines, want) || (s.world.Host("GREEN") == nil) != dry {
			t.Errorf("dry run %v: %v %v", dry, err, answer.Lines)
		}
	}
	var raw json.RawMessage
	if err := s.Do(ctx, http.MethodPost, "/v1/apply", nil, api.ApplyRequest[plan.Plan]{Plan: p}, &raw); err != nil || strings.TrimSpace(string(raw)) != `{"lines":[]}` {
		t.Errorf("a second time: %v %s", err, raw)
	}
}

// TestApplyRefuses has requests of clients that are not uswitch: nothing is changed, and each gets a sentence.
func TestApplyRefuses(t *testing.T) {
	s := start(t)
	s.Start()
	huge := `{"plan": {"name": "` + strings.Repeat("x", 17<<20) + `"}}`
	for name, c := range map[string]struct {
		body string
		code int
		want string
	}{
		"nothing":       {"", http.StatusBadRequest, "not the JSON that was expected"},
		"no plan":       {"{}", http.StatusBadRequest, "want a plan"},
		"half a plan":   {`{"plan": {"name": "w"`, http.StatusBadRequest, "not the JSON that was expected"},
		"unknown keys":  {`{"plan": {"name": "w", "colour": 7}}`, http.StatusBadRequest, `unknown field "colour"`},
		"an empty plan": {`{"plan": {"name": "w", "uplink": {"kind": "sim"}, "hosts": [{"name": "a/b"}]}}`, http.StatusUnprocessableEntity, `host name "a/b"`},
		"too much":      {huge, http.StatusRequestEntityTooLarge, "larger than 16777216 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			var e *api.Error
			err := s.Do(context.Background(), http.MethodPost, "/v1/apply", nil, strings.NewReader(c.body), nil)
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.want) {
				t.Errorf("got %v, want %d %s", err, c.code, c.want)
			}
			if len(s.world.Hosts()) != 2 {
				t.Error("something has changed")
			}
		})
	}
}

func TestLogs(t *testing.T) {
	s := start(t)
	s.Start()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := s.world.AddHost(ctx, plan.Host{Name: "LOUD", Command: []string{"sh", "-c", "echo one; echo two; echo three; exec sleep 1000"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.world.StartHost("LOUD"); err != nil {
		t.Fatal(err)
	}
	q := api.LogQuery{Hosts: []string{"LOUD"}, Tail: -1, Follow: true}
	answer, err := s.Stream(ctx, http.MethodGet, "/v1/logs", q.Query(), nil)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(answer)
	for _, want := range []string{"one", "two", "three"} { // as they come
		var line world.LogLine
		if err := decoder.Decode(&line); err != nil || line.Text != want || line.Host != "LOUD" {
			t.Errorf("got %+v %v, want %s", line, err, want)
		}
	}
	var text string
	if err := s.Get(ctx, "/v1/logs", api.LogQuery{Tail: 1}.Query(), &text); err != nil || strings.Count(text, "\n") != 1 || !strings.Contains(text, `"text":"three"`) {
		t.Errorf("the last line: %v %s", err, text)
	}
	for want, q := range map[string]api.LogQuery{"there is no such host in lab w": {Hosts: []string{"NOBODY"}}} {
		if err := s.Get(ctx, "/v1/logs", q.Query(), &text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

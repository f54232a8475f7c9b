package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/control/server"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/cmd/internal/world/worldtest"
)

// TestQuestions asks a lab over its socket.
func TestQuestions(t *testing.T) {
	p, err := plan.Parse("q.yaml", []byte(`
name: q
networks: {br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}}
services: {RED: {networks: [br0]}, BLUE: {networks: [br0]}}
x-uswitch: {uplink: sim, rules: ["-P FORWARD DROP"]}
`), plan.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := world.New(p, world.Options{Host: &worldtest.Host{}})
	if err == nil {
		err = w.Up(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer w.Down()
	dir := t.TempDir()
	l, err := server.Listen(dir, "q")
	if err != nil {
		t.Fatal(err)
	}
	server := server.New(l, w, "test", 1, func() {})
	server.Start()
	defer server.Close()
	client, ctx := api.NewClient(api.Path(dir, "q"), "q"), t.Context()

	out := api.Question{From: "RED", To: "8.8.8.8", Protocol: "icmp"}
	var answer api.Answer
	if err := client.Do(ctx, http.MethodPost, "/v1/explain", nil, out, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Works || answer.Stop == nil || answer.Stop.Reason != "policy-drop" || answer.Stop.Rule.Text != "-P FORWARD DROP" {
		t.Errorf("%+v", answer)
	}
	var advice api.Advice
	if err := client.Do(ctx, http.MethodPost, "/v1/why-not", nil, out, &advice); err != nil {
		t.Fatal(err)
	}
	// The namespaces of this world are names alone: nobody can look into its hosts, and that is said.
	if advice.Verdict != api.NotKnown || advice.Unknown == "" || advice.Solved || len(advice.Steps) != 3 {
		t.Errorf("%+v", advice)
	}
	var m api.Matrix
	if err := client.Get(ctx, "/v1/reach", api.ReachQuery{Outside: netip.MustParseAddr("8.8.8.8")}.Query(), &m); err != nil {
		t.Fatal(err)
	}
	if len(m.From) != 3 || len(m.To) != 4 || m.Cells[0][1].Verdict != api.NotKnown || m.Cells[0][3].Reason != "policy-drop" {
		t.Errorf("%+v", m)
	}

	var refused *api.Error
	for name, err := range map[string]error{
		"a host that is not there": client.Do(ctx, http.MethodPost, "/v1/explain", nil, api.Question{From: "NOBODY", To: "8.8.8.8", Protocol: "icmp"}, nil),
		"no question":              client.Do(ctx, http.MethodPost, "/v1/why-not", nil, map[string]int{"size": -1}, nil),
		"a name as an address":     client.Get(ctx, "/v1/reach", url.Values{"outside": {"here"}}, nil),
	} {
		if !errors.As(err, &refused) || refused.Message == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

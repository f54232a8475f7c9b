package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/control/server"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
)

// TestExecAtTheLimit: a program for which there is no place among those who listen does not begin, and one for which there is a
// place again does.
func TestExecAtTheLimit(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.Start()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range server.MaxStreams {
		answer, err := s.Stream(ctx, http.MethodGet, "/v1/trace", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Close()
	}
	began := filepath.Join(t.TempDir(), "began")
	q := api.ExecQuery{ID: "1", Host: "RED", Args: []string{"touch", began}}
	_, err := s.Stream(ctx, http.MethodPost, "/v1/exec", q.Query(), nil)
	var refused *api.Error
	if !errors.As(err, &refused) || refused.Code != http.StatusServiceUnavailable {
		t.Errorf("%v: want that too many listen", err)
	}
	if _, err := os.Stat(began); err == nil {
		t.Error("the program has begun")
	}
	cancel()
	eventually(t, "there is a place", func() bool {
		answer, err := s.Stream(context.Background(), http.MethodPost, "/v1/exec", q.Query(), nil)
		if err != nil {
			return false
		}
		defer answer.Close()
		var out api.ExecOutput
		return json.NewDecoder(answer).Decode(&out) == nil && out.Status != nil && *out.Status == 0
	})
}

// TestLogsSayWhatIsLost: of each host the last lines are remembered, and how many are not is said.
func TestLogsSayWhatIsLost(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.Start()
	loud := plan.Host{Name: "LOUD", Command: []string{"sh", "-c", "seq 1 20000; exec sleep 1000"}}
	if err := s.world.AddHost(context.Background(), loud); err != nil {
		t.Fatal(err)
	}
	if err := s.world.StartHost("LOUD"); err != nil {
		t.Fatal(err)
	}
	read := func(tail int) (lines []world.LogLine) {
		answer, err := s.Stream(context.Background(), http.MethodGet, "/v1/logs", api.LogQuery{Hosts: []string{"LOUD"}, Tail: tail}.Query(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Close()
		for d := json.NewDecoder(answer); ; {
			var line world.LogLine
			if d.Decode(&line) != nil {
				return lines
			}
			lines = append(lines, line)
		}
	}
	eventually(t, "all is written", func() bool {
		lines := read(1)
		return len(lines) == 1 && lines[0].Text == "20000"
	})
	all := read(-1)
	kept := uint64(len(all))
	for tail, want := range map[int]uint64{-1: 20000 - kept, 3: 0, 20000: 20000 - kept, int(kept) + 7: 7} {
		if lines := read(tail); lines[0].Lost != want || kept == 20000 {
			t.Errorf("the last %d: %d lost, want %d of 20,000", tail, lines[0].Lost, want)
		}
	}
}

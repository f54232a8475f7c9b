package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

	"uswitch/cmd/internal/docker/types"
)

// List returns the containers, the last one first; without all, those that run.
func (e *Engine) List(all bool) []types.Summary {
	e.mu.Lock()
	defer e.mu.Unlock()
	rows := []types.Summary{}
	for _, c := range slices.Backward(e.all()) {
		if all || c.state.Running {
			rows = append(rows, e.summary(c))
		}
	}
	return rows
}

// summary is a row of docker ps. It needs the lock.
func (e *Engine) summary(c *container) types.Summary {
	s := types.Summary{ID: c.id, Names: []string{"/" + c.name}, Image: c.config.Image, Command: commandLine(c.argv), Created: c.created.Unix(),
		Ports: []types.Port{}, Labels: c.config.Labels, State: c.state.Status, Status: status(c.state, e.now()),
		HostConfig: types.SummaryHostConfig{NetworkMode: c.mode()}, NetworkSettings: types.SummaryNetworks{Networks: e.settings(c).Networks}}
	if c.state.Running {
		s.Ports = e.ports(c)
	}
	return s
}

// commandLine is an argument vector as docker ps has it: what holds a blank is quoted.
func commandLine(argv []string) string {
	words := slices.Clone(argv)
	for i, word := range words {
		if strings.ContainsAny(word, " \t\n") {
			words[i] = "'" + word + "'"
		}
	}
	return strings.Join(words, " ")
}

// status says what a container is doing, and for how long.
func status(s types.State, now time.Time) string {
	switch s.Status {
	case running:
		return "Up " + units.HumanDuration(now.Sub(s.StartedAt))
	case exited:
		if s.FinishedAt.IsZero() {
			return fmt.Sprintf("Exited (%d)", s.ExitCode)
		}
		return fmt.Sprintf("Exited (%d) %s ago", s.ExitCode, units.HumanDuration(now.Sub(s.FinishedAt)))
	}
	return "Created"
}

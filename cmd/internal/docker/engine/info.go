package engine

import (
	"fmt"
	"net/http"
	"runtime"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan/firewall"
)

// getInfo says what docker info prints, and what the docker command looks for when it finds no object of a name: there is no swarm.
func (e *Engine) getInfo(*http.Request) (any, error) {
	p := e.lab.Plan()
	i := types.Info{Name: p.Name, ServerVersion: "uswitch", Driver: "none: programs see this machine's own files",
		OperatingSystem: "uswitch, a lab in one process", OSType: runtime.GOOS, Architecture: runtime.GOARCH, NCPU: runtime.NumCPU(),
		Swarm:    types.SwarmInfo{LocalNodeState: "inactive"},
		Warnings: []string{"the rules are " + rulesOf(p.Rules != nil, p.DockerRules)}}
	if d, err := firewall.ParseDialect(p.DockerRules); err == nil && p.Rules == nil {
		i.ServerVersion = d.Version()
	}
	for _, c := range e.List(true) {
		i.Containers++
		if c.State == "running" {
			i.ContainersRunning++
		} else {
			i.ContainersStopped++
		}
	}
	return i, nil
}

// rulesOf says whose rules a lab has.
func rulesOf(own bool, dialect string) string {
	d, err := firewall.ParseDialect(dialect)
	switch {
	case own:
		return "those of the lab's file, and not Docker's"
	case err != nil:
		return "a few of uswitch's own, and not Docker's"
	}
	return fmt.Sprintf("those of Docker %s (docker_rules: %s)", d.Version(), d)
}

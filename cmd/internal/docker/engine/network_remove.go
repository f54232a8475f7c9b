package engine

import (
	"fmt"
	"slices"
	"strings"

	"uswitch/cmd/internal/docker/types"
)

// RemoveNetwork removes a network on which nobody is.
func (e *Engine) RemoveNetwork(reference string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, err := findNetwork(e.lab.Plan(), e.lab.Taken(), reference)
	if err != nil {
		return err
	}
	if predefined(n.Docker) {
		return forbidden("%s is a pre-defined network and cannot be removed", n.Docker)
	}
	if n.Key != "" {
		return forbidden("network %s is of the lab's file: uswitch apply takes it out", n.Docker)
	}
	var there []string
	for _, c := range e.all() {
		if _, ok := e.cardOn(c, n); ok {
			there = append(there, fmt.Sprintf("name:%q id:%q", c.name, c.short()))
		}
	}
	if len(there) > 0 {
		return forbidden("error while removing network: network %s has active endpoints (%s)", n.Docker, strings.Join(there, ", "))
	}
	if err := e.lab.RemoveNetwork(n.Name); err != nil {
		return failed("%w", err)
	}
	delete(e.networks, n.Docker)
	return nil
}

// PruneNetworks removes the networks of docker network create on which nobody is, whether running or not, and names them.
func (e *Engine) PruneNetworks() (*types.NetworksPruneResponse, error) {
	e.mu.Lock()
	var unused []string
	for _, n := range e.lab.Plan().Networks {
		used := n.Key != "" || n.IsDefaultBridge()
		for _, c := range e.all() {
			_, on := c.endpoints[n.Docker]
			used = used || on
		}
		if !used {
			unused = append(unused, n.Docker)
		}
	}
	e.mu.Unlock()
	answer := &types.NetworksPruneResponse{}
	slices.Sort(unused)
	for _, name := range unused {
		if e.RemoveNetwork(name) == nil { // somebody may have come meanwhile
			answer.NetworksDeleted = append(answer.NetworksDeleted, name)
		}
	}
	return answer, nil
}

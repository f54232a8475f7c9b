package engine

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
)

// The networks that every Docker host has.
const (
	bridgeNetwork = "bridge"
	hostNetwork   = "host"
	noNetwork     = "none"
)

// network is what a plan does not know of a network.
type network struct {
	created time.Time
	labels  map[string]string
	options map[string]string // as they were given
	aux     map[string]string // addresses that nobody gets, by the names that they were given
}

// network returns the network of a name, an id or the beginning of one, as the lab has it. Docker's own bridge is made
// when somebody first needs it. It needs the lock.
func (e *Engine) network(reference string) (*plan.Network, error) {
	if reference == bridgeNetwork {
		if err := e.needBridge(); err != nil {
			return nil, err
		}
	}
	p := e.lab.Plan()
	n, err := findNetwork(p, e.lab.Taken(), reference)
	if err == nil && n.Name == "" {
		return nil, forbidden("network %s has no addresses", reference)
	}
	return n, err
}

// findNetwork also finds host and none, which are no networks of the lab and have no Name.
func findNetwork(p *plan.Plan, taken []netip.Prefix, reference string) (*plan.Network, error) {
	all := networksOf(p, taken)
	var found *plan.Network
	for i := range all {
		n := &all[i]
		switch {
		case n.Docker == reference || n.ID() == reference:
			return n, nil
		case reference != "" && strings.HasPrefix(n.ID(), reference) && found != nil:
			return nil, invalid("network %s is ambiguous (2 matches found on ID prefix)", reference)
		case reference != "" && strings.HasPrefix(n.ID(), reference):
			found = n
		}
	}
	if found == nil {
		if n := p.Network(reference); n != nil && n.Docked() { // what the lab itself calls it
			return n, nil
		}
		return nil, notFound("network %s not found", reference)
	}
	return found, nil
}

// networksOf lists a plan's networks by Docker's names, with host and none.
func networksOf(p *plan.Plan, taken []netip.Prefix) []plan.Network {
	all := slices.DeleteFunc(slices.Clone(p.Networks), func(n plan.Network) bool { return !n.Docked() })
	all = append(all, plan.Network{Docker: hostNetwork}, plan.Network{Docker: noNetwork})
	if !slices.ContainsFunc(all, func(n plan.Network) bool { return n.IsDefaultBridge() }) {
		if n, err := futureBridge(p, taken); err == nil { // else there is no room for it, and network bridge says so
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b plan.Network) int { return cmp.Compare(a.Docker, b.Docker) })
	return all
}

// Networks lists the networks, by name.
func (e *Engine) Networks() []types.Network {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []types.Network{}
	for _, n := range networksOf(e.lab.Plan(), e.lab.Taken()) {
		all = append(all, e.describe(&n))
	}
	return all
}

// Network describes one.
func (e *Engine) Network(reference string) (*types.Network, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, err := findNetwork(e.lab.Plan(), e.lab.Taken(), reference)
	if err != nil {
		return nil, err
	}
	described := e.describe(n)
	return &described, nil
}

// futureBridge is docker0 as a lab gets it that does not have it yet.
func futureBridge(p *plan.Plan, taken []netip.Prefix) (plan.Network, error) {
	taken = slices.Clone(taken)
	for _, n := range p.Networks {
		taken = append(taken, n.Subnet)
	}
	if p.Uplink.Address.IsValid() {
		taken = append(taken, p.Uplink.Address.Masked())
	}
	return planBridge(taken)
}

// predefined reports whether every Docker host has a network of this name.
func predefined(name string) bool {
	return name == bridgeNetwork || name == hostNetwork || name == noNetwork
}

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
		if _, ok := e.nicOn(c, n); ok {
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
	e.tellNetwork(n, "destroy", "")
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

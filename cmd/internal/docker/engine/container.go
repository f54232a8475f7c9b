package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/tap"
)

// The states of a container.
//
//	created --Start--> running --the command's end, or Stop--> exited --Start--> running
//	   \___________________________ Remove ______________________/
const (
	created = "created"
	running = "running"
	exited  = "exited"
)

// container is one container. Everything in it that changes is guarded by the engine's lock.
type container struct {
	id, name   string
	created    time.Time
	argv       []string // what runs: entrypoint and command, or what stands in for the image
	config     types.Config
	hostConfig types.HostConfig
	endpoints  map[string]*types.EndpointSettings // as they were asked for, by network
	state      types.State

	journal *journal
	console *console        // while it runs
	process tap.Process     // likewise
	ended   chan struct{}   // closed at the end of the run; nil before the first
	waiting []*attachment   // who listens from the next start on
	next    []chan struct{} // closed at the end of the next run
	removed chan struct{}   // closed when there is no such container any more

	service string // of the lab's own: the host's name there; it is not in the engine's list
}

// host is what the lab calls the container while it runs.
func (c *container) host() string {
	if c.service != "" {
		return c.service
	}
	return c.name
}

// mode is the network mode without the word default.
func (c *container) mode() string {
	if m := c.hostConfig.NetworkMode; m != "" && m != "default" {
		return m
	}
	return bridgeNetwork
}

// shared returns the container whose network this one uses.
func (c *container) shared() (reference string, ok bool) {
	return strings.CutPrefix(c.mode(), "container:")
}

// networksInOrder names the networks that the container is on, the one of its mode first: that is eth0.
func (c *container) networksInOrder() []string {
	first := c.mode()
	names := slices.Sorted(maps.Keys(c.endpoints))
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case a == first && b != first:
			return -1
		case b == first && a != first:
			return 1
		}
		return 0
	})
	return names
}

// short is the id as docker ps shows it.
func (c *container) short() string { return c.id[:shortID] }

// service returns a host that the lab has made itself as a container. It needs the lock.
func (e *Engine) service(h *plan.Host) *container {
	p := e.lab.Plan()
	c := &container{
		id: derivedID("container", p.Name, h.Name), name: h.Container, service: h.Name, created: e.begun,
		argv: h.Command, config: types.Config{Hostname: h.Hostname, Env: h.Environment, Cmd: h.Command, WorkingDir: h.WorkingDir,
			Labels: map[string]string{"com.docker.compose.project": p.Name, "com.docker.compose.service": h.Name}},
		endpoints: map[string]*types.EndpointSettings{},
	}
	c.hostConfig.NetworkMode = modeOf(p, h)
	c.setRights(h.Rights)
	for _, i := range h.Interfaces {
		if n := p.Network(i.Network); n != nil {
			s := &types.EndpointSettings{Aliases: append([]string{h.Name}, i.Aliases...)}
			for _, link := range i.Links {
				s.Links = append(s.Links, link.Name+":"+link.Alias)
			}
			c.endpoints[n.Docker] = s
		}
	}
	pid, status, up := e.lab.Command(h.Name)
	c.state = types.State{Status: exited, ExitCode: status, StartedAt: e.begun}
	if up || len(h.Command) == 0 {
		c.state = types.State{Status: running, Running: true, Pid: pid, StartedAt: e.begun}
	}
	return c
}

// modeOf says in Docker's words which network a host of the lab is on.
func modeOf(p *plan.Plan, h *plan.Host) string {
	switch {
	case h.Mode == plan.ModeHost:
		return hostNetwork
	case h.Mode == plan.ModeShared:
		return "container:" + derivedID("container", p.Name, h.Shares)
	case len(h.Interfaces) == 0:
		return noNetwork
	}
	return p.Network(h.Interfaces[0].Network).Docker
}

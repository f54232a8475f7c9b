package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

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

// Rights are what a container's programs may do.
func Rights(c *types.Config, h *types.HostConfig) plan.Rights {
	r := plan.Rights{User: c.User, Groups: h.GroupAdd, CapAdd: h.CapAdd, CapDrop: h.CapDrop, Privileged: h.Privileged, ReadOnly: h.ReadonlyRootfs}
	for _, option := range h.SecurityOpt {
		r.SecurityOption(option) // of the others warnings tell
	}
	for _, l := range h.Ulimits {
		r.Limits = append(r.Limits, plan.Limit{Name: l.Name, Soft: l.Soft, Hard: l.Hard})
	}
	return r
}

// ExecRights are those of a program beside a container's own.
func ExecRights(c plan.Rights, x *types.ExecConfig) plan.Rights {
	if x.User != "" {
		c.User = x.User
	}
	c.Privileged = c.Privileged || x.Privileged
	return c
}

// rights are what the container's programs may do.
func (c *container) rights() plan.Rights { return Rights(&c.config, &c.hostConfig) }

// setRights enters them as the API has them.
func (c *container) setRights(r plan.Rights) {
	c.config.User = r.User
	h := &c.hostConfig
	h.GroupAdd, h.CapAdd, h.CapDrop, h.Privileged, h.ReadonlyRootfs = r.Groups, r.CapAdd, r.CapDrop, r.Privileged, r.ReadOnly
	if r.NoNewPrivileges {
		h.SecurityOpt = []string{"no-new-privileges:true"}
	}
	for _, l := range r.Limits {
		h.Ulimits = append(h.Ulimits, types.Ulimit{Name: l.Name, Hard: l.Hard, Soft: l.Soft})
	}
}

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

package engine

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"uswitch/cmd/internal/docker/image"
	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
)

// containerName is what Docker takes for a name (moby daemon/names).
var containerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)

// Create makes a container that does not run yet. Without a name it gets one.
func (e *Engine) Create(name string, r types.CreateRequest) (*types.CreateResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := &container{created: e.now(), config: r.Config, hostConfig: r.HostConfig, endpoints: map[string]*types.EndpointSettings{},
		state: types.State{Status: created}, journal: newJournal(e.now), removed: make(chan struct{})}
	if err := e.checkName(name); err != nil {
		return nil, err
	}
	about, err := c.chooseCommand()
	if err != nil {
		return nil, err
	}
	rights := c.rights()
	if err := rights.Verify(); err != nil {
		return nil, invalid("%v", err)
	}
	if err := checkModes(c); err != nil {
		return nil, err
	}
	if err := plan.CheckSysctls(c.hostConfig.Sysctls); err != nil {
		return nil, invalid("%v", err)
	}
	if err := checkBindings(c); err != nil {
		return nil, err
	}
	if _, err := planNames(c); err != nil {
		return nil, err
	}
	if err := e.chooseEndpoints(c, r.NetworkingConfig); err != nil {
		return nil, err
	}
	c.id, c.name = e.newID(), strings.TrimPrefix(name, "/")
	if c.name == "" {
		c.name = e.petname(func(name string) bool { return e.owner(name) != nil })
	}
	if c.config.Hostname == "" {
		c.config.Hostname = c.short()
	}
	e.containers = append(e.containers, c)
	e.tellOf(c, "create")
	return &types.CreateResponse{ID: c.id, Warnings: append([]string{about}, warnings(c)...)}, nil
}

// checkName accepts the name of a new container, or none. It needs the lock.
func (e *Engine) checkName(name string) error {
	name = strings.TrimPrefix(name, "/")
	if name == "" {
		return nil
	}
	if !containerName.MatchString(name) {
		return invalid("Invalid container name (%s), only %s are allowed", name, "[a-zA-Z0-9][a-zA-Z0-9_.-]")
	}
	if owner := e.owner(name); owner != nil {
		return conflict("Conflict. The container name %q is already in use by container %q. You have to remove (or rename) that container to be able to reuse that name.",
			"/"+name, owner.id)
	}
	// It becomes the name of a host, and of a namespace.
	if err := e.lab.Plan().VerifyHost(&plan.Host{Name: name, Hostname: name, Mode: plan.ModeNone}); err != nil {
		return invalid("%v", err)
	}
	return nil
}

// owner returns the container that has a name, if there is one. It needs the lock.
func (e *Engine) owner(name string) *container {
	for _, c := range e.all() {
		if c.name == name || c.host() == name {
			return c
		}
	}
	return nil
}

// chooseCommand finds what the container runs, and says in a line what becomes of its image.
func (c *container) chooseCommand() (about string, err error) {
	known := image.Lookup(c.config.Image)
	for _, port := range known.Exposed {
		if c.config.ExposedPorts == nil {
			c.config.ExposedPorts = map[string]struct{}{}
		}
		c.config.ExposedPorts[port] = struct{}{}
	}
	c.argv = append(slices.Clone(c.config.Entrypoint), c.config.Cmd...)
	if len(c.argv) == 0 {
		if len(known.Command) == 0 {
			return "", invalid("no command specified: nothing here stands in for the image %s, so say what is to run: uswitch docker run %s COMMAND",
				c.config.Image, c.config.Image)
		}
		c.argv = known.Command
	}
	c.argv = image.Program(c.argv)
	line := strings.Join(c.argv, " ")
	if len(c.config.Entrypoint)+len(c.config.Cmd) == 0 && known.About != "" {
		line += ", " + known.About + ","
	}
	if image.IsSmall(c.config.Image) && !image.HasBusybox() {
		line += " (for want of busybox on this machine, its own program)"
	}
	return fmt.Sprintf("image %s is not used: %s runs on this machine's own files, %s", c.config.Image, line, c.place()), nil
}

// chooseEndpoints enters the networks that the container is to be on: those of the request, and that of its mode. It needs
// the lock.
func (e *Engine) chooseEndpoints(c *container, asked types.NetworkingConfig) error {
	mode := e.dockerName(c.mode())
	c.hostConfig.NetworkMode = mode
	for _, name := range slices.Sorted(maps.Keys(asked.EndpointsConfig)) {
		settings := asked.EndpointsConfig[name]
		if settings == nil {
			settings = &types.EndpointSettings{}
		}
		if name == "default" {
			name = bridgeNetwork
		}
		name = e.dockerName(name)
		if err := checkEndpoint(name, settings); err != nil {
			return err
		}
		c.endpoints[name] = settings
	}
	if _, ok := c.endpoints[mode]; !ok && mode != hostNetwork && mode != noNetwork && !strings.HasPrefix(mode, "container:") {
		c.endpoints[mode] = &types.EndpointSettings{}
	}
	return nil
}

// dockerName is Docker's name of a network that is called by its id, or as the lab calls it. What there is none of stays as it
// is: that is told when the container starts. It needs the lock.
func (e *Engine) dockerName(reference string) string {
	if n, err := findNetwork(e.lab.Plan(), e.lab.Taken(), reference); err == nil {
		return n.Docker
	}
	return reference
}

// place says in whose network namespace the container is.
func (c *container) place() string {
	if other, ok := c.shared(); ok {
		return "in the network namespace of " + other
	}
	if c.mode() == hostNetwork {
		return "on this machine's own network"
	}
	return "in a network namespace of its own"
}

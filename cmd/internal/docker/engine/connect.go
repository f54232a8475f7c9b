package engine

import (
	"uswitch/cmd/internal/docker/types"
)

// Connect puts a container onto a further network: at once if it runs, and whenever it is started.
func (e *Engine) Connect(network string, r types.NetworkConnectRequest) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(r.Container)
	if err != nil {
		return err
	}
	n, err := e.network(network)
	if err != nil {
		return err
	}
	settings := r.EndpointConfig
	if settings == nil {
		settings = &types.EndpointSettings{}
	}
	if err := e.checkConnect(c, n.Docker, settings); err != nil {
		return err
	}
	if c.state.Running && len(settings.Links) > 0 && n.IsDefaultBridge() {
		return invalid("cannot link %s on %s while it runs: the default network has no names, and links there are written when a container starts", c.name, n.Docker)
	}
	c.endpoints[n.Docker] = settings
	if !c.state.Running {
		return nil
	}
	i, err := interfaceOf(e.lab.Plan(), c, n, "")
	if err == nil {
		err = e.lab.Connect(c.host(), i)
	}
	if err != nil {
		delete(c.endpoints, n.Docker)
		return failed("%w", err)
	}
	return nil
}

// checkConnect accepts a further network for a container. It needs the lock.
func (e *Engine) checkConnect(c *container, network string, s *types.EndpointSettings) error {
	_, shared := c.shared()
	switch {
	case shared:
		return forbidden("container sharing network namespace with another container or host cannot be connected to any other network")
	case c.mode() == hostNetwork:
		return forbidden("container sharing network namespace with another container or host cannot be connected to any other network")
	case c.mode() == noNetwork && len(c.endpoints) == 0:
		return forbidden("container cannot be connected to multiple networks with one of the networks in private (none) mode")
	case c.endpoints[network] != nil:
		return forbidden("endpoint with name %s already exists in network %s", c.name, network)
	}
	return checkEndpoint(network, s)
}

// Disconnect takes a container off a network.
func (e *Engine) Disconnect(network string, r types.NetworkDisconnectRequest) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(r.Container)
	if err != nil {
		return err
	}
	n, err := findNetwork(e.lab.Plan(), e.lab.Taken(), network)
	if err != nil {
		return err
	}
	switch {
	case n.Docker == hostNetwork:
		return forbidden("container cannot be disconnected from host network or connected to host network")
	case c.endpoints[n.Docker] == nil:
		return forbidden("container %s is not connected to network %s", c.id, n.Docker)
	}
	if c.state.Running {
		if err := e.lab.Disconnect(c.host(), n.Name); err != nil {
			return failed("%w", err)
		}
	}
	delete(c.endpoints, n.Docker)
	return nil
}

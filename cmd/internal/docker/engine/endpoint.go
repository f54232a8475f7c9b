package engine

import (
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/switch/frame"
)

// hostOf makes of a container a host that the lab can add: everything is chosen, the lowest free addresses first. It needs
// the lock.
func (e *Engine) hostOf(c *container) (plan.Host, error) {
	h := plan.Host{Name: c.name, Container: c.name, Hostname: c.config.Hostname, Interfaces: []plan.Interface{}, Environment: c.config.Env, Passive: true}
	if reference, ok := c.shared(); ok {
		other, err := e.find(reference)
		if err != nil {
			return h, err
		}
		if !other.state.Running {
			return h, conflict("cannot join network namespace of a non running container: container %s is not running", other.id)
		}
		h.Mode, h.Shares, h.Hostname = plan.ModeShared, other.host(), other.config.Hostname
		return h, nil
	}
	switch c.mode() {
	case hostNetwork:
		h.Mode = plan.ModeHost
		return h, nil
	case noNetwork:
		h.Mode = plan.ModeNone
	}
	p := e.lab.Plan()
	for _, name := range c.networksInOrder() {
		n, err := e.network(name)
		if err != nil {
			return h, err
		}
		i, err := interfaceOf(p, c, n, fmt.Sprint("eth", len(h.Interfaces)))
		if err != nil {
			return h, err
		}
		h.Interfaces = append(h.Interfaces, i)
	}
	e.chooseRoute(c, &h)
	h.Sysctls = c.hostConfig.Sysctls
	return h, e.chooseNames(c, &h)
}

// interfaceOf is a container's interface on a network.
func interfaceOf(p *plan.Plan, c *container, n *plan.Network, nic string) (plan.Interface, error) {
	asked := c.endpoints[n.Docker]
	i := plan.Interface{Name: nic, Network: n.Name, MTU: n.MTU, Port: n.Port, GatewayPriority: asked.GwPriority}
	address, err := chooseAddress(p, n, asked)
	if err != nil {
		return i, err
	}
	i.Address = netip.PrefixFrom(address, n.Subnet.Bits())
	if i.Address6, err = chooseAddress6(p, n, asked); err != nil {
		return i, err
	}
	i.MAC = frame.MACFromIPv4(address)
	if asked.MacAddress != "" {
		i.MAC, err = frame.ParseMAC(asked.MacAddress)
	}
	if !n.IsDefaultBridge() {
		i.Aliases = dnsNames(c, asked)
		for _, text := range asked.Links {
			link, err := parseLink(text)
			if err != nil {
				return i, err
			}
			i.Links = append(i.Links, link)
		}
	}
	return i, err
}

// chooseAddress takes the address that is asked for, or the lowest that nobody has.
func chooseAddress(p *plan.Plan, n *plan.Network, asked *types.EndpointSettings) (netip.Addr, error) {
	pool, err := n.Pool()
	if err != nil {
		return netip.Addr{}, err
	}
	for i := range p.Hosts {
		for _, other := range p.Hosts[i].Interfaces {
			if other.Network == n.Name {
				_ = pool.Reserve(other.Address.Addr()) // it is taken, whatever the pool thinks of it
			}
		}
	}
	if asked.IPAMConfig == nil || asked.IPAMConfig.IPv4Address == "" {
		a, err := pool.Allocate()
		if err != nil {
			return a, fmt.Errorf("no available IPv4 addresses on this network's address pools: %s (%s)", n.Docker, n.ID())
		}
		return a, nil
	}
	a, err := netip.ParseAddr(asked.IPAMConfig.IPv4Address)
	switch {
	case err != nil:
		return a, err
	case !n.Subnet.Contains(a):
		return a, invalid("no configured subnet or ip-range contain the IP address %v", a)
	case pool.Reserve(a) != nil:
		return a, forbidden("Address already in use")
	}
	return a, nil
}

// chooseAddress6 is chooseAddress for IPv6, with its network's length; zero where there is none.
func chooseAddress6(p *plan.Plan, n *plan.Network, asked *types.EndpointSettings) (netip.Prefix, error) {
	wish := ""
	if asked.IPAMConfig != nil {
		wish = asked.IPAMConfig.IPv6Address
	}
	switch {
	case n.IPv6 == nil && wish != "":
		return netip.Prefix{}, invalid("no configured subnet or ip-range contain the IP address %s", wish)
	case n.IPv6 == nil:
		return netip.Prefix{}, nil
	case wish == "":
		a, err := p.FreeAddress6(n)
		if err != nil {
			return a, fmt.Errorf("no available IPv6 addresses on this network's address pools: %s (%s)", n.Docker, n.ID())
		}
		return a, nil
	}
	a, err := netip.ParseAddr(wish)
	switch {
	case err != nil:
		return netip.Prefix{}, err
	case !n.IPv6.Subnet.Contains(a):
		return netip.Prefix{}, invalid("no configured subnet or ip-range contain the IP address %v", a)
	case p.Taken6(n, a):
		return netip.Prefix{}, forbidden("Address already in use")
	}
	return netip.PrefixFrom(a, n.IPv6.Subnet.Bits()), nil
}

// dnsNames are what a container can be called by on a network of its user's: its name, its aliases, the beginning of its
// id and, if somebody has chosen it, its hostname.
func dnsNames(c *container, s *types.EndpointSettings) []string {
	names := append([]string{c.name}, s.Aliases...)
	names = append(names, c.short(), c.config.Hostname)
	var once []string
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// chooseRoute chooses the network of the default route, and publishes on it. It needs the lock.
func (e *Engine) chooseRoute(c *container, h *plan.Host) {
	p := e.lab.Plan()
	p.ChooseGateway(h)
	if to := p.Inlet(h); to != nil {
		h.Ports = portsOf(c, to)
	}
}

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
	e.tellNetwork(n, "connect", c.id)
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
		e.tellNetwork(n, "disconnect", c.id)
	}
	delete(c.endpoints, n.Docker)
	return nil
}

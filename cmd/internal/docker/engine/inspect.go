package engine

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
)

// Inspect describes a container.
func (e *Engine) Inspect(reference string) (*types.Container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(reference)
	if err != nil {
		return nil, err
	}
	d := &types.Container{ID: c.id, Created: c.created, State: c.state, Image: c.config.Image, Name: "/" + c.name,
		HostConfig: c.hostConfig, Config: c.config, Args: []string{}}
	if len(c.argv) > 0 {
		d.Path, d.Args = c.argv[0], append(d.Args, c.argv[1:]...)
	}
	d.HostConfig.NetworkMode = c.mode()
	if other, ok := c.shared(); ok {
		if o, err := e.find(other); err == nil {
			d.HostConfig.NetworkMode = "container:" + o.id
		}
	}
	d.NetworkSettings = e.settings(c)
	if dir, name := path.Split(d.NetworkSettings.SandboxKey); dir == "/run/netns/" {
		files := "/etc/netns/" + name // where ip netns exec looks for them, too
		d.ResolvConfPath, d.HostnamePath, d.HostsPath = files+"/resolv.conf", files+"/hostname", files+"/hosts"
	}
	return d, nil
}

// settings are a container's networks as they are now. It needs the lock.
func (e *Engine) settings(c *container) types.NetworkSettings {
	s := types.NetworkSettings{Ports: map[string][]types.PortBinding{}, Networks: map[string]*types.EndpointSettings{}}
	if c.state.Running {
		s.SandboxKey = e.lab.Sandbox(c.host())
		s.SandboxID = derivedID("sandbox", c.id)
		for _, p := range e.ports(c) {
			key := fmt.Sprintf("%d/%s", p.PrivatePort, p.Type)
			if _, ok := s.Ports[key]; !ok {
				s.Ports[key] = nil
			}
			if p.PublicPort != 0 {
				s.Ports[key] = append(s.Ports[key], types.PortBinding{HostIP: p.IP, HostPort: strconv.Itoa(int(p.PublicPort))})
			}
		}
	}
	labPlan := e.lab.Plan()
	for name, asked := range c.endpoints {
		s.Networks[name] = e.endpoint(labPlan, c, name, asked)
	}
	if c.mode() == hostNetwork || c.mode() == noNetwork && len(c.endpoints) == 0 {
		s.Networks[c.mode()] = e.endpoint(labPlan, c, c.mode(), &types.EndpointSettings{})
	}
	if b := s.Networks[bridgeNetwork]; b != nil {
		s.EndpointID, s.Gateway, s.IPAddress, s.IPPrefixLen, s.MacAddress = b.EndpointID, b.Gateway, b.IPAddress, b.IPPrefixLen, b.MacAddress
	}
	return s
}

// endpoint is what became of an attachment. It needs the lock.
func (e *Engine) endpoint(p *plan.Plan, c *container, network string, asked *types.EndpointSettings) *types.EndpointSettings {
	s := *asked
	n, err := findNetwork(p, e.lab.Taken(), network)
	if err != nil || !c.state.Running {
		return &s
	}
	s.NetworkID, s.EndpointID = n.ID(), endpointID(c, n)
	i, ok := e.nicOn(c, n)
	if !ok {
		return &s
	}
	s.IPAddress, s.IPPrefixLen, s.MacAddress = i.Address.Addr().String(), i.Address.Bits(), i.MAC.String()
	if !n.Internal {
		s.Gateway = gatewayText(n)
	}
	if i.Address6.IsValid() {
		s.GlobalIPv6Address, s.GlobalIPv6PrefixLen = i.Address6.Addr().String(), i.Address6.Bits()
		if !n.Internal && n.IPv6.Gateway.IsValid() {
			s.IPv6Gateway = n.IPv6.Gateway.Addr().String()
		}
	}
	if !n.IsDefaultBridge() {
		s.DNSNames = dnsNames(c, asked)
	}
	return &s
}

// ports are a running container's: the published ones, and those that are only exposed. It needs the lock.
func (e *Engine) ports(c *container) []types.Port {
	all := []types.Port{}
	published := map[string]bool{}
	for _, p := range e.lab.Published(c.host()) {
		published[fmt.Sprintf("%d/%s", p.To.Port(), p.Proto)] = true
		all = append(all, types.Port{IP: p.HostIP.String(), PrivatePort: p.To.Port(), PublicPort: p.HostPort, Type: p.Proto})
	}
	for port := range c.config.ExposedPorts {
		if number, proto := splitPort(port); !published[fmt.Sprintf("%d/%s", number, proto)] && c.mode() != hostNetwork {
			all = append(all, types.Port{PrivatePort: number, Type: proto})
		}
	}
	slices.SortFunc(all, func(a, b types.Port) int {
		return comparePorts(fmt.Sprintf("%d/%s", a.PrivatePort, a.Type), fmt.Sprintf("%d/%s", b.PrivatePort, b.Type))
	})
	return all
}

// saysIPv4 is EnableIPv4 of every network, as far as the Docker whose rules the lab has knows that key.
func saysIPv4(p *plan.Plan) *bool {
	if p.Rules == nil && p.DockerRules == "20.10" {
		return nil
	}
	yes := true
	return &yes
}

// describe says of a network what docker network inspect prints. It needs the lock.
func (e *Engine) describe(n *plan.Network) types.Network {
	d := types.Network{Name: n.Docker, ID: n.ID(), Created: e.begun, Scope: "local", Driver: "bridge", EnableIPv4: saysIPv4(e.lab.Plan()),
		IPAM: types.IPAM{Driver: "default"}, Internal: n.Internal, Attachable: n.Attachable,
		Containers: map[string]types.EndpointResource{}, Options: n.Options, Labels: map[string]string{}}
	switch n.Docker {
	case hostNetwork:
		d.Driver = "host"
	case noNetwork:
		d.Driver = "null"
	case bridgeNetwork:
		d.IPAM.Config = []types.IPAMConfig{{Subnet: n.Subnet.String(), Gateway: gatewayText(n)}}
	default:
		d.IPAM.Options = map[string]string{}
		d.IPAM.Config = []types.IPAMConfig{{Subnet: n.Subnet.String(), Gateway: gatewayText(n), AuxiliaryAddresses: reservedText(n.Reserved)}}
		if n.Range.IsValid() {
			d.IPAM.Config[0].IPRange = n.Range.String()
		}
	}
	if six := n.IPv6; six != nil {
		pool := types.IPAMConfig{Subnet: six.Subnet.String(), AuxiliaryAddresses: reservedText(six.Reserved)}
		if six.Gateway.IsValid() {
			pool.Gateway = six.Gateway.Addr().String()
		}
		if six.Range.IsValid() {
			pool.IPRange = six.Range.String()
		}
		d.EnableIPv6, d.IPAM.Config = true, append(d.IPAM.Config, pool)
	}
	if more := e.networks[n.Docker]; more != nil {
		d.Created, d.Labels, d.Options = more.created, more.labels, more.options
		d.IPAM.Config[0].AuxiliaryAddresses = more.aux
	}
	if d.Options == nil {
		d.Options = map[string]string{}
	}
	for _, c := range e.all() {
		if resource, ok := e.endpointResource(c, n); ok {
			d.Containers[c.id] = resource
		}
	}
	return d
}

// endpointResource is a container as a network shows it, if it is there. It needs the lock.
func (e *Engine) endpointResource(c *container, n *plan.Network) (types.EndpointResource, bool) {
	r := types.EndpointResource{Name: c.name, EndpointID: endpointID(c, n)}
	if n.Name == "" { // host and none have nobody's address
		_, shared := c.shared()
		return r, c.state.Running && !shared && c.mode() == n.Docker
	}
	i, ok := e.nicOn(c, n)
	if !ok {
		return r, false
	}
	r.MacAddress, r.IPv4Address = i.MAC.String(), i.Address.String()
	if i.Address6.IsValid() {
		r.IPv6Address = i.Address6.String()
	}
	return r, true
}

// nicOn returns a container's interface on a network while it runs. It needs the lock.
func (e *Engine) nicOn(c *container, n *plan.Network) (plan.Interface, bool) {
	h := e.lab.Plan().Host(c.host())
	if h == nil || !c.state.Running {
		return plan.Interface{}, false
	}
	for _, i := range h.Interfaces {
		if i.Network == n.Name {
			return i, true
		}
	}
	return plan.Interface{}, false
}

// endpointID is the same for as long as the container is on the network.
func endpointID(c *container, n *plan.Network) string { return derivedID("endpoint", c.id, n.ID()) }

func gatewayText(n *plan.Network) string {
	if !n.Gateway.IsValid() {
		return ""
	}
	return n.Gateway.Addr().String()
}

func reservedText(reserved []netip.Addr) map[string]string {
	var all map[string]string
	for i, a := range reserved {
		if all == nil {
			all = map[string]string{}
		}
		all[fmt.Sprint("aux", i)] = a.String()
	}
	return all
}

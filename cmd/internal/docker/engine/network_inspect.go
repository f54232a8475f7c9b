package engine

import (
	"fmt"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
)

// describe says of a network what docker network inspect prints. It needs the lock.
func (e *Engine) describe(n *plan.Network) types.Network {
	d := types.Network{Name: n.Docker, ID: n.ID(), Created: e.begun, Scope: "local", Driver: "bridge", EnableIPv4: true,
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
		d.IPAM.Config = []types.IPAMConfig{{Subnet: n.Subnet.String(), Gateway: gatewayText(n), AuxiliaryAddresses: reservedText(n)}}
		if n.Range.IsValid() {
			d.IPAM.Config[0].IPRange = n.Range.String()
		}
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
	i, ok := e.cardOn(c, n)
	if !ok {
		return r, false
	}
	r.MacAddress, r.IPv4Address = i.MAC.String(), i.Address.String()
	return r, true
}

// cardOn returns a container's card on a network while it runs. It needs the lock.
func (e *Engine) cardOn(c *container, n *plan.Network) (plan.Interface, bool) {
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

func reservedText(n *plan.Network) map[string]string {
	var all map[string]string
	for i, a := range n.Reserved {
		if all == nil {
			all = map[string]string{}
		}
		all[fmt.Sprint("aux", i)] = a.String()
	}
	return all
}

package engine

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/docker/engine/api"
	"uswitch/cmd/internal/lab"
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
	asked   bool              // its user has chosen the subnet
}

// network returns the network of a name, an id or the beginning of one, as the lab has it. Docker's own bridge is made
// when somebody first needs it. It needs the lock.
func (e *Engine) network(reference string) (*lab.Network, error) {
	if reference == bridgeNetwork {
		if err := e.needBridge(); err != nil {
			return nil, err
		}
	}
	plan := e.lab.Plan()
	n, err := findNetwork(plan, e.lab.Taken(), reference)
	if err == nil && n.Name == "" {
		return nil, forbidden("network %s has no addresses", reference)
	}
	return n, err
}

// findNetwork also finds host and none, which are no networks of the lab and have no Name.
func findNetwork(plan *lab.Plan, taken []netip.Prefix, reference string) (*lab.Network, error) {
	all := networksOf(plan, taken)
	var found *lab.Network
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
		if n := plan.Network(reference); n != nil { // what the lab itself calls it
			return n, nil
		}
		return nil, notFound("network %s not found", reference)
	}
	return found, nil
}

// networksOf lists a plan's networks by Docker's names, with host and none.
func networksOf(plan *lab.Plan, taken []netip.Prefix) []lab.Network {
	all := append(slices.Clone(plan.Networks), lab.Network{Docker: hostNetwork}, lab.Network{Docker: noNetwork})
	if !slices.ContainsFunc(all, func(n lab.Network) bool { return n.IsDefaultBridge() }) {
		if n, err := futureBridge(plan, taken); err == nil { // else there is no room for it, and network bridge says so
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b lab.Network) int { return cmp.Compare(a.Docker, b.Docker) })
	return all
}

// Networks lists the networks, by name.
func (e *Engine) Networks() []api.Network {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []api.Network{}
	for _, n := range networksOf(e.lab.Plan(), e.lab.Taken()) {
		all = append(all, e.describe(&n))
	}
	return all
}

// Network describes one.
func (e *Engine) Network(reference string) (*api.Network, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, err := findNetwork(e.lab.Plan(), e.lab.Taken(), reference)
	if err != nil {
		return nil, err
	}
	described := e.describe(n)
	return &described, nil
}

// describe says of a network what docker network inspect prints. It needs the lock.
func (e *Engine) describe(n *lab.Network) api.Network {
	d := api.Network{Name: n.Docker, ID: n.ID(), Created: e.begun, Scope: "local", Driver: "bridge", EnableIPv4: true,
		IPAM: api.IPAM{Driver: "default"}, Internal: n.Internal, Attachable: n.Attachable,
		Containers: map[string]api.EndpointResource{}, Options: n.Options, Labels: map[string]string{}}
	switch n.Docker {
	case hostNetwork:
		d.Driver = "host"
	case noNetwork:
		d.Driver = "null"
	case bridgeNetwork:
		d.IPAM.Config = []api.IPAMConfig{{Subnet: n.Subnet.String(), Gateway: gatewayText(n)}}
	default:
		d.IPAM.Options = map[string]string{}
		d.IPAM.Config = []api.IPAMConfig{{Subnet: n.Subnet.String(), Gateway: gatewayText(n), AuxiliaryAddresses: reservedText(n)}}
		if n.Range.IsValid() {
			d.IPAM.Config[0].IPRange = n.Range.String()
		}
	}
	if more := e.networks[n.Docker]; more != nil {
		d.Created, d.Labels, d.Options = more.created, more.labels, more.options
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
func (e *Engine) endpointResource(c *container, n *lab.Network) (api.EndpointResource, bool) {
	r := api.EndpointResource{Name: c.name, EndpointID: endpointID(c, n)}
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
func (e *Engine) cardOn(c *container, n *lab.Network) (lab.Interface, bool) {
	h := e.lab.Plan().Host(c.host())
	if h == nil || !c.state.Running {
		return lab.Interface{}, false
	}
	for _, i := range h.Interfaces {
		if i.Network == n.Name {
			return i, true
		}
	}
	return lab.Interface{}, false
}

// endpointID is the same for as long as the container is on the network.
func endpointID(c *container, n *lab.Network) string { return derivedID("endpoint", c.id, n.ID()) }

func gatewayText(n *lab.Network) string {
	if !n.Gateway.IsValid() {
		return ""
	}
	return n.Gateway.Addr().String()
}

func reservedText(n *lab.Network) map[string]string {
	var all map[string]string
	for i, a := range n.Reserved {
		if all == nil {
			all = map[string]string{}
		}
		all["aux"+string(rune('0'+i%10))] = a.String()
	}
	return all
}

// futureBridge is docker0 as a lab gets it that does not have it yet.
func futureBridge(plan *lab.Plan, taken []netip.Prefix) (lab.Network, error) {
	taken = slices.Clone(taken)
	for _, n := range plan.Networks {
		taken = append(taken, n.Subnet)
	}
	if plan.Uplink.Address.IsValid() {
		taken = append(taken, plan.Uplink.Address.Masked())
	}
	return planBridge(taken)
}

// predefined reports whether every Docker host has a network of this name.
func predefined(name string) bool {
	return name == bridgeNetwork || name == hostNetwork || name == noNetwork
}

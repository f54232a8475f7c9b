package engine

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
	"uswitch/switch/ipam"
)

// CreateNetwork makes a network.
func (e *Engine) CreateNetwork(r types.NetworkCreateRequest) (*types.NetworkCreateResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.lab.Plan()
	if err := checkNetworkName(p, r.Name); err != nil {
		return nil, err
	}
	switch r.Driver = cmp.Or(r.Driver, "bridge"); {
	case r.Driver == "host" || r.Driver == "null":
		return nil, forbidden("only one instance of %q network is allowed", r.Driver)
	case r.Driver != "bridge":
		return nil, notFound("could not find plugin %s in v1 plugin registry: plugin %q not found; here there is bridge", r.Driver, r.Driver)
	}
	six, err := takeIPv6(p, &r)
	if err != nil {
		return nil, err
	}
	if err := e.choosePool(p, &r); err != nil {
		return nil, err
	}
	n, err := planNetwork(r, six)
	if err != nil {
		return nil, err
	}
	if other := p.Network(n.Name); other != nil {
		return nil, forbidden("bridge name %s is already used by network %s", n.Name, other.Docker)
	}
	if err := e.lab.AddNetwork(n); err != nil {
		return nil, failed("%w", err)
	}
	if r.Labels == nil {
		r.Labels = map[string]string{}
	}
	e.networks[n.Docker] = &network{created: e.now(), labels: r.Labels, options: r.Options, aux: r.IPAM.Config[0].AuxiliaryAddresses}
	e.tellNetwork(&n, "create", "")
	return &types.NetworkCreateResponse{ID: n.ID()}, nil
}

// takeIPv6 takes the pool of IPv6 out of a request, or chooses one where IPv6 is asked for without; nil where it is not.
func takeIPv6(p *plan.Plan, r *types.NetworkCreateRequest) (*types.IPAMConfig, error) {
	var six *types.IPAMConfig
	if r.IPAM != nil {
		r.IPAM.Config = slices.DeleteFunc(slices.Clone(r.IPAM.Config), func(c types.IPAMConfig) bool {
			subnet, err := netip.ParsePrefix(c.Subnet)
			is := err == nil && subnet.Addr().Is6()
			if is && six == nil {
				six = &c
				return true
			}
			return false
		})
	}
	switch asked := r.EnableIPv6 != nil && *r.EnableIPv6; {
	case !asked && six != nil:
		return nil, invalid("IPv6 subnet %s: want --ipv6 too", six.Subnet)
	case !asked || six != nil:
		return six, nil
	}
	subnet, err := p.NextULA()
	if err != nil {
		return nil, invalid("%v", err)
	}
	return &types.IPAMConfig{Subnet: subnet.String()}, nil
}

func checkNetworkName(p *plan.Plan, name string) error {
	if name == bridgeNetwork || name == hostNetwork || name == noNetwork {
		return forbidden("operation is not permitted on predefined %s network", name)
	}
	if strings.TrimSpace(name) == "" {
		return invalid("network name cannot be empty or whitespace")
	}
	if err := plan.ValidateName("network name", name); err != nil {
		return invalid("%v", err)
	}
	if slices.ContainsFunc(p.Networks, func(n plan.Network) bool { return n.Docker == name }) {
		return conflict("network with name %s already exists", name)
	}
	return nil
}

// choosePool gives a request the first default pool that is free, or checks the one that it has. It needs the lock.
func (e *Engine) choosePool(p *plan.Plan, r *types.NetworkCreateRequest) error {
	taken := e.taken(p)
	if r.IPAM == nil {
		r.IPAM = &types.IPAM{}
	}
	if len(r.IPAM.Config) > 1 {
		return invalid("bridge driver doesn't support multiple subnets")
	}
	if len(r.IPAM.Config) == 0 {
		subnet, err := ipam.NextSubnet(taken)
		if err != nil {
			return invalid("%v", err)
		}
		r.IPAM.Config = []types.IPAMConfig{{Subnet: subnet.String()}}
		return nil
	}
	subnet, err := netip.ParsePrefix(r.IPAM.Config[0].Subnet)
	if err != nil {
		return nil // package plan has the words
	}
	for _, n := range p.Networks {
		if n.Subnet.Overlaps(subnet) {
			return forbidden("invalid pool request: Pool overlaps with other one on this address space: network %s has %v", n.Docker, n.Subnet)
		}
	}
	return nil
}

// taken lists what no default pool may overlap: networks of the lab, docker0's - whether it is there or not - and what the
// machine has routes to. It needs the lock.
func (e *Engine) taken(p *plan.Plan) []netip.Prefix {
	all := slices.Clone(e.lab.Taken())
	for _, n := range networksOf(p, e.lab.Taken()) {
		if n.Subnet.IsValid() {
			all = append(all, n.Subnet)
		}
	}
	return all
}

// needBridge makes docker0 where the lab does not have it yet. It needs the lock.
func (e *Engine) needBridge() error {
	p := e.lab.Plan()
	if slices.ContainsFunc(p.Networks, func(n plan.Network) bool { return n.IsDefaultBridge() }) {
		return nil
	}
	n, err := futureBridge(p, e.lab.Taken())
	if err == nil {
		err = e.lab.AddNetwork(n)
	}
	if err != nil {
		return failed("network bridge: %w", err)
	}
	return nil
}

// What Docker can be asked for and what a lab's file can say of a network is the same; so a network is made as a file would
// have it, and package plan finds what is wrong with it.

// composeNetwork is a network in a Compose file.
type composeNetwork struct {
	Name       string            `json:"name"`
	DriverOpts map[string]string `json:"driver_opts,omitempty"`
	Internal   bool              `json:"internal,omitempty"`
	Attachable bool              `json:"attachable,omitempty"`
	EnableIPv6 bool              `json:"enable_ipv6,omitempty"`
	IPAM       *composeIPAM      `json:"ipam,omitempty"`
}

type composeIPAM struct {
	Config []composePool `json:"config"`
}

type composePool struct {
	Subnet       string            `json:"subnet,omitempty"`
	IPRange      string            `json:"ip_range,omitempty"`
	Gateway      string            `json:"gateway,omitempty"`
	AuxAddresses map[string]string `json:"aux_addresses,omitempty"`
}

// planNetwork makes a network of the request; its subnets are chosen already.
func planNetwork(r types.NetworkCreateRequest, six *types.IPAMConfig) (plan.Network, error) {
	n := composeNetwork{Name: r.Name, DriverOpts: r.Options, Internal: r.Internal, Attachable: r.Attachable}
	if r.IPAM != nil && len(r.IPAM.Config) > 0 {
		c := r.IPAM.Config[0]
		n.IPAM = &composeIPAM{[]composePool{{c.Subnet, c.IPRange, c.Gateway, c.AuxiliaryAddresses}}}
	}
	if six != nil {
		n.EnableIPv6 = true
		n.IPAM.Config = append(n.IPAM.Config, composePool{six.Subnet, six.IPRange, six.Gateway, six.AuxiliaryAddresses})
	}
	p, err := parse(map[string]any{
		"services": map[string]any{"nobody": map[string]any{"network_mode": "none"}},
		"networks": map[string]any{"default": n}, // which is called br- and its id
	}, nil)
	if err != nil {
		return plan.Network{}, err
	}
	planned := p.Networks[0]
	planned.Key = ""
	return planned, nil
}

// planBridge is docker0 as a lab gets it in which these networks are taken.
func planBridge(taken []netip.Prefix) (plan.Network, error) {
	p, err := parse(map[string]any{"services": map[string]any{}, "x-uswitch": map[string]any{"docker0": true}}, taken)
	if err != nil {
		return plan.Network{}, err
	}
	return p.Networks[0], nil
}

// parse reads a file with one network at most, so that messages need not name it.
func parse(file map[string]any, taken []netip.Prefix) (*plan.Plan, error) {
	text, err := json.Marshal(file)
	if err != nil {
		return nil, err
	}
	p, err := plan.Parse("docker", text, plan.LoadOptions{Taken: taken})
	var mistake *plan.Mistake
	if errors.As(err, &mistake) {
		option := strings.TrimPrefix(strings.TrimPrefix(mistake.Key, "networks.default."), "services.nobody.")
		return nil, invalid("%s: %s", option, mistake.Text)
	}
	return p, err
}

package engine

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"

	"uswitch/cmd/internal/docker/types"
	"uswitch/cmd/internal/plan"
)

// What Docker can be asked for and what a lab's file can say of a network is the same; so a network is made as a file would
// have it, and package lab finds what is wrong with it.

// composeNetwork is a network in a Compose file.
type composeNetwork struct {
	Name       string            `json:"name"`
	DriverOpts map[string]string `json:"driver_opts,omitempty"`
	Internal   bool              `json:"internal,omitempty"`
	Attachable bool              `json:"attachable,omitempty"`
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

// planNetwork makes a network of the request; its subnet is chosen already.
func planNetwork(r types.NetworkCreateRequest) (plan.Network, error) {
	n := composeNetwork{Name: r.Name, DriverOpts: r.Options, Internal: r.Internal, Attachable: r.Attachable}
	if r.IPAM != nil && len(r.IPAM.Config) > 0 {
		c := r.IPAM.Config[0]
		n.IPAM = &composeIPAM{[]composePool{{c.Subnet, c.IPRange, c.Gateway, c.AuxiliaryAddresses}}}
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

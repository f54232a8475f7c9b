package client

import (
	"fmt"
	"strings"

	"uswitch/cmd/internal/docker/types"
)

// NetworkOptions are the flags of docker network create, as they were written.
type NetworkOptions struct {
	Driver               string
	Subnets              []string
	Gateways             []string
	Ranges               []string
	Aux                  []string // NAME=ADDRESS
	Internal, Attachable bool
	IPv6                 bool
	Options, Labels      []string // KEY=VALUE
}

// Request says it in the words of the API. The errors have docker's words.
func (o *NetworkOptions) Request(name string) (types.NetworkCreateRequest, error) {
	r := types.NetworkCreateRequest{Name: name, Driver: o.Driver, Internal: o.Internal, Attachable: o.Attachable,
		Options: pairs(o.Options), Labels: pairs(o.Labels)}
	if o.IPv6 {
		r.EnableIPv6 = &o.IPv6
	}
	one := func(flag string, values []string) (string, error) {
		switch {
		case len(values) == 0:
			return "", nil
		case len(values) > 1:
			return "", fmt.Errorf("cannot configure multiple --%s on a bridge: want one", flag)
		}
		return values[0], nil
	}
	var c types.IPAMConfig
	for _, field := range []struct {
		flag   string
		values []string
		into   *string
	}{{"subnet", o.Subnets, &c.Subnet}, {"gateway", o.Gateways, &c.Gateway}, {"ip-range", o.Ranges, &c.IPRange}} {
		var err error
		if *field.into, err = one(field.flag, field.values); err != nil {
			return r, err
		}
	}
	c.AuxiliaryAddresses = pairs(o.Aux)
	if c.Subnet == "" {
		for flag, there := range map[string]bool{"gateway": c.Gateway != "", "ip-range": c.IPRange != "", "aux-address": len(o.Aux) > 0} {
			if there {
				return r, fmt.Errorf("no matching subnet for %s: want --subnet too", flag)
			}
		}
		return r, nil
	}
	r.IPAM = &types.IPAM{Driver: "default", Config: []types.IPAMConfig{c}}
	return r, nil
}

// pairs reads KEY=VALUE lines; nil for none.
func pairs(lines []string) map[string]string {
	if len(lines) == 0 {
		return nil
	}
	all := map[string]string{}
	for _, line := range lines {
		key, value, _ := strings.Cut(line, "=")
		all[key] = value
	}
	return all
}

package client

import (
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
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
	if o.IPv6 {
		six, rest, err := o.splitIPv6()
		if err != nil {
			return r, err
		}
		again, err := rest.Request(name)
		if err != nil {
			return r, err
		}
		r.IPAM = again.IPAM
		if six.Subnet != "" {
			if r.IPAM == nil {
				r.IPAM = &types.IPAM{Driver: "default"}
			}
			r.IPAM.Config = append(r.IPAM.Config, six)
		}
		return r, nil
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

// splitIPv6 takes what is said of IPv6 out of the options.
func (o *NetworkOptions) splitIPv6() (six types.IPAMConfig, rest NetworkOptions, err error) {
	rest = *o
	rest.IPv6 = false
	take := func(values []string) (text string, others []string) {
		for _, v := range values {
			if strings.Contains(v, ":") && text == "" {
				text = v
			} else {
				others = append(others, v)
			}
		}
		return text, others
	}
	six.Subnet, rest.Subnets = take(o.Subnets)
	six.Gateway, rest.Gateways = take(o.Gateways)
	six.IPRange, rest.Ranges = take(o.Ranges)
	if six.Subnet == "" && six.Gateway+six.IPRange != "" {
		err = fmt.Errorf("no matching subnet for %s%s: want --subnet too", six.Gateway, six.IPRange)
	}
	return six, rest, err
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

// DockerNetworks writes networks as docker network ls does.
func DockerNetworks(w io.Writer, networks []types.Network, o DockerOptions) error {
	usual := "{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"
	format := o.Format
	if o.Quiet && format == "" {
		format = "{{.ID}}"
	}
	heading := map[string]string{"ID": "NETWORK ID", "Name": "NAME", "Driver": "DRIVER", "Scope": "SCOPE", "IPv4": "IPV4", "IPv6": "IPV6",
		"Internal": "INTERNAL", "Labels": "LABELS", "CreatedAt": "CREATED AT"}
	rows := make([]map[string]string, 0, len(networks))
	for _, n := range networks {
		var labels []string
		for _, key := range slices.Sorted(maps.Keys(n.Labels)) {
			labels = append(labels, key+"="+n.Labels[key])
		}
		rows = append(rows, map[string]string{"ID": o.id(n.ID), "Name": n.Name, "Driver": n.Driver, "Scope": n.Scope,
			"IPv4": strconv.FormatBool(n.EnableIPv4 == nil || *n.EnableIPv4), "IPv6": strconv.FormatBool(n.EnableIPv6), "Internal": strconv.FormatBool(n.Internal),
			"Labels": strings.Join(labels, ","), "CreatedAt": n.Created.String()})
	}
	return dockerTable(w, format, usual, heading, rows)
}

// DockerPort writes where a container's ports are published, as docker port does: all of them, or those of one, which is
// written without what it leads to.
func DockerPort(w io.Writer, ports map[string][]types.PortBinding, only string) error {
	for _, port := range slices.SortedFunc(maps.Keys(ports), compareDockerPort) {
		if only != "" && port != only {
			continue
		}
		for _, b := range ports[port] {
			line := net.JoinHostPort(b.HostIP, b.HostPort)
			if only == "" {
				line = port + " -> " + line
			}
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareDockerPort orders 80/tcp before 443/tcp.
func compareDockerPort(a, b string) int {
	number := func(port string) int {
		text, _, _ := strings.Cut(port, "/")
		n, _ := strconv.Atoi(text)
		return n
	}
	if n := number(a) - number(b); n != 0 {
		return n
	}
	return strings.Compare(a, b)
}

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
			"IPv4": strconv.FormatBool(n.EnableIPv4), "IPv6": strconv.FormatBool(n.EnableIPv6), "Internal": strconv.FormatBool(n.Internal),
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

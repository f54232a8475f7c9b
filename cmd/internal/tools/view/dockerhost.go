package view

import (
	"fmt"
	"io"
	"strconv"

	"uswitch/cmd/internal/plan/dockerhost"
)

// DockerHost writes what Docker would have put on a machine: its bridges and cables as tables, its rules as iptables-save
// prints them.
func DockerHost(w io.Writer, h *dockerhost.Host) error {
	_, err := fmt.Fprintf(w, `# What Docker would have put on a machine for lab %s; rules: %s.
# Docker draws by lot what comes after br- and veth, and MAC addresses. Its own bridge, docker0, is shown if somebody is on it.

`, h.Lab, h.Dialect)
	if err != nil {
		return err
	}
	bridges := newTable("BRIDGE", "NETWORK", "SUBNET", "ADDRESS", "MTU", "KIND")
	for _, b := range h.Bridges {
		kind := "bridge"
		if b.Internal {
			kind = "internal"
		}
		address := "-"
		if b.Address.IsValid() {
			address = b.Address.String()
		}
		bridges.add(b.Name, b.Network, b.Subnet.String(), address, strconv.Itoa(b.MTU), kind)
	}
	if err := bridges.write(w); err != nil {
		return err
	}
	fmt.Fprintln(w)
	veths := newTable("VETH", "BRIDGE", "CONTAINER", "CARD", "ADDRESS", "MAC")
	for _, v := range h.Veths {
		veths.add(v.Name, v.Bridge, v.Container, v.NIC, v.Address.String(), v.MAC.String())
	}
	if err := veths.write(w); err != nil {
		return err
	}
	_, err = fmt.Fprint(w, "\n# iptables-save\n", h.Iptables)
	return err
}

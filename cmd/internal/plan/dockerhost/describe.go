package dockerhost

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
)

// Host is what Docker would have put on a machine for a lab.
type Host struct {
	Lab      string   `json:"lab"`
	Dialect  string   `json:"docker_rules"` // 20.10, classic or 29
	Bridges  []Bridge `json:"bridges"`      // in the order of the plan's networks
	Veths    []Veth   `json:"veths"`        // in the order in which the containers start
	Iptables string   `json:"iptables"`     // as iptables-save prints it
}

// Bridge is a network on the host.
type Bridge struct {
	Name     string       `json:"name"`
	Network  string       `json:"network"` // as docker network ls names it
	Subnet   netip.Prefix `json:"subnet"`
	Address  netip.Prefix `json:"address,omitzero"` // the host's own there: the containers' gateway; zero: none
	MTU      int          `json:"mtu"`
	Internal bool         `json:"internal"`
}

// Veth is a cable from a bridge to a container.
type Veth struct {
	Name      string       `json:"name"` // of the end on the host
	Bridge    string       `json:"bridge"`
	Container string       `json:"container"`
	NIC       string       `json:"card"` // the end in the container
	Address   netip.Prefix `json:"address"`
	MAC       frame.MAC    `json:"mac"` // the interface's
}

// Describe plays Docker for a plan: its networks, then host for host what dockerd does when a container starts. The lab's own
// rules are not Docker's business and left out.
func Describe(p *plan.Plan, dialect firewall.Dialect) (*Host, error) {
	s, err := start(p, rule.IPv4, dialect)
	if err != nil {
		return nil, err
	}
	d := &Host{Lab: p.Name, Dialect: dialect.String(), Bridges: []Bridge{}, Veths: []Veth{}}
	for _, n := range p.Networks {
		if !n.Docked() {
			continue
		}
		d.Bridges = append(d.Bridges, Bridge{Name: n.Name, Network: n.Docker, Subnet: n.Subnet, Address: n.Gateway,
			MTU: n.MTU, Internal: n.Internal})
	}
	taken := portsOf(p)
	for i := range p.Hosts {
		h := &p.Hosts[i]
		for _, nic := range h.Interfaces {
			name, _ := VethName(p.Name, h.Name, &nic)
			d.Veths = append(d.Veths, Veth{Name: name, Bridge: nic.Network, Container: h.Name, NIC: nic.Name,
				Address: nic.Address, MAC: nic.MAC})
		}
		published, err := taken.choose(p, h)
		if err == nil {
			err = s.connect(h)
		}
		if err == nil {
			err = s.publish(h, published)
		}
		if err != nil {
			return nil, err
		}
	}
	d.Iptables = s.tables.Snapshot().Save(rule.SaveOptions{})
	return d, nil
}

// VethName names the near end of a host's cable as the lab file does, or as Docker does, veth and seven hexadecimal digits,
// and gives it a locally administered address. Both are the same in every run of a lab.
func VethName(labName, host string, nic *plan.Interface) (string, frame.MAC) {
	sum := sha256.Sum256([]byte(labName + "\x00" + host + "\x00" + nic.Name))
	mac := frame.MAC(sum[8:14])
	mac[0] = mac[0]&^1 | 2
	if nic.VethMAC != (frame.MAC{}) {
		mac = nic.VethMAC
	}
	return cmp.Or(nic.Veth, fmt.Sprintf("veth%x", sum[:4])[:len("veth")+7]), mac
}

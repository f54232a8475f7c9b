package dockerhost

import (
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// Firewall returns the dockerd of a lab: it has started, made the plan's networks and connected its hosts, in the plan's
// order, and published nothing yet. lines are the commands that all this took, for tables that are empty.
func Firewall(p *plan.Plan, dialect firewall.Dialect) (daemon *firewall.Firewall, lines []string, err error) {
	s, err := start(p, dialect)
	if err != nil {
		return nil, nil, err
	}
	for i := range p.Hosts {
		if err := s.connect(&p.Hosts[i]); err != nil {
			return nil, nil, err
		}
	}
	return s.daemon, s.lines, nil
}

// script is a dockerd, the tables as it has left them, and how they came to be so.
type script struct {
	daemon *firewall.Firewall
	tables *rule.Tables
	lines  []string
}

// start begins with a dockerd as it is after installation, and the networks.
func start(p *plan.Plan, dialect firewall.Dialect) (*script, error) {
	daemon, err := firewall.New(rule.IPv4, firewall.Daemon{Dialect: dialect, UserlandProxy: true, UserChain: true, ForwardDrop: true})
	if err != nil {
		return nil, err
	}
	s := &script{daemon: daemon, tables: rule.NewTables(rule.IPv4)}
	if err := s.do(daemon.Start(s.tables.Snapshot())); err != nil {
		return nil, err
	}
	for i := range p.Networks {
		n := &p.Networks[i]
		if err := s.do(daemon.AddNetwork(s.tables.Snapshot(), Network(n))); err != nil {
			return nil, fmt.Errorf("network %s as a bridge of Docker's: %w", n.Name, err)
		}
	}
	return s, nil
}

// Network returns a network as Docker's rules know it.
func Network(n *plan.Network) firewall.Network {
	return firewall.Network{Bridge: n.Name, Subnet: n.Subnet, Internal: n.Internal, ICC: n.ICC, Masquerade: n.Masquerade,
		GatewayMode: firewall.GatewayMode(n.GatewayMode)}
}

// connect puts a host onto its networks.
func (s *script) connect(h *plan.Host) error {
	for _, i := range h.Interfaces {
		if err := s.do(s.daemon.AddEndpoint(s.tables.Snapshot(), i.Network, i.Address.Addr())); err != nil {
			return fmt.Errorf("host %s: %w", h.Name, err)
		}
	}
	return nil
}

// publish opens ports of a host, in this order.
func (s *script) publish(h *plan.Host, ports []firewall.Port) error {
	for _, p := range ports {
		if err := s.do(s.daemon.AddPorts(s.tables.Snapshot(), networkOf(h, p.To.Addr()), p)); err != nil {
			return fmt.Errorf("host %s: %w", h.Name, err)
		}
	}
	return nil
}

// do carries out commands, unless there was an error instead.
func (s *script) do(lines []string, err error) error {
	if err == nil {
		err = s.tables.Apply(lines)
	}
	if err == nil {
		s.lines = append(s.lines, lines...)
	}
	return err
}

// networkOf returns the network on which a host has an address: all its ports are published on that one.
func networkOf(h *plan.Host, a netip.Addr) string {
	for _, i := range h.Interfaces {
		if i.Address.Addr() == a {
			return i.Network
		}
	}
	return ""
}

package dockerhost

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// Firewall returns the dockerd of a lab, as the rules of one family know it: it has started, made the plan's networks and connected
// its hosts, in the plan's order, and published nothing yet. lines are the commands that all this took, for tables that are empty.
func Firewall(p *plan.Plan, family rule.Family, dialect firewall.Dialect) (daemon *firewall.Firewall, lines []string, err error) {
	s, err := start(p, family, dialect)
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
	plan   *plan.Plan
	family rule.Family
	daemon *firewall.Firewall
	tables *rule.Tables
	lines  []string
}

// start begins with a dockerd as it is after installation, and the networks.
func start(p *plan.Plan, family rule.Family, dialect firewall.Dialect) (*script, error) {
	daemon, err := firewall.New(family, firewall.Daemon{Dialect: dialect, UserlandProxy: true, UserChain: true, ForwardDrop: true})
	if err != nil {
		return nil, err
	}
	s := &script{plan: p, family: family, daemon: daemon, tables: rule.NewTables(family)}
	if err := s.do(daemon.Start(s.tables.Snapshot())); err != nil {
		return nil, err
	}
	for i := range p.Networks {
		n := &p.Networks[i]
		known, ok := Network(n, family)
		if !ok {
			continue
		}
		if err := s.do(daemon.AddNetwork(s.tables.Snapshot(), known)); err != nil {
			return nil, fmt.Errorf("network %s as a bridge of Docker's: %w", n.Name, err)
		}
	}
	return s, nil
}

// Network returns a network as Docker's rules of a family know it; ok is false where they do not.
func Network(n *plan.Network, family rule.Family) (known firewall.Network, ok bool) {
	if !n.Docked() || family == rule.IPv6 && n.IPv6 == nil {
		return known, false
	}
	known = firewall.Network{Bridge: n.Name, Subnet: n.Subnet, Internal: n.Internal, ICC: n.ICC, Masquerade: n.Masquerade,
		GatewayMode: firewall.GatewayMode(n.GatewayMode)}
	if family == rule.IPv6 {
		known.Subnet, known.GatewayMode = n.IPv6.Subnet, firewall.GatewayMode(n.IPv6.GatewayMode)
	}
	return known, true
}

// Address returns the address of a family that an interface has.
func Address(i *plan.Interface, family rule.Family) netip.Addr {
	if family == rule.IPv6 {
		return i.Address6.Addr()
	}
	return i.Address.Addr()
}

// connect puts a host onto its networks.
func (s *script) connect(h *plan.Host) error {
	for _, i := range h.Interfaces {
		n := s.plan.Network(i.Network)
		if n == nil {
			continue
		}
		if _, ok := Network(n, s.family); !ok {
			continue
		}
		if err := s.do(s.daemon.AddEndpoint(s.tables.Snapshot(), i.Network, Address(&i, s.family))); err != nil {
			return fmt.Errorf("host %s: %w", h.Name, err)
		}
	}
	return nil
}

// publish opens ports of a host, all of which are on one network.
func (s *script) publish(h *plan.Host, ports []firewall.Port) error {
	if len(ports) == 0 {
		return nil
	}
	if err := s.do(s.daemon.AddPorts(s.tables.Snapshot(), networkOf(h, ports[0].To.Addr()), ports...)); err != nil {
		return fmt.Errorf("host %s: %w", h.Name, err)
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
		if i.Has(a) {
			return i.Network
		}
	}
	return ""
}

// firstFree is where Docker begins to look for a port if it is to choose: the first of net.ipv4.ip_local_port_range.
const firstFree = 32768

// Port returns a published port of a host on network n as Docker's rules know it. The port outside must be a single one by
// now; where the network is routed, there is none: the port is opened at the host's own address.
func Port(n *plan.Network, p plan.Publish) firewall.Port {
	mode := n.GatewayMode
	if p.To.Addr().Is6() {
		mode = n.IPv6.GatewayMode
	}
	if mode == string(firewall.Routed) {
		return firewall.Port{Proto: p.Proto, To: p.To}
	}
	return firewall.Port{Proto: p.Proto, HostIP: p.HostIP, HostPort: p.HostPort, To: p.To}
}

// ComparePorts is the order in which dockerd chooses the ports of a container (moby's cmpPortBindingReq): those with a number
// of their own before those that may have any one of several, so that none of these takes it away.
func ComparePorts(p, q plan.Publish) int {
	open := func(p plan.Publish) int {
		if p.HostPort == 0 || p.HostPortEnd > p.HostPort {
			return 1
		}
		return 0
	}
	asRule := func(p plan.Publish) firewall.Port {
		return firewall.Port{Proto: p.Proto, HostIP: p.HostIP, HostPort: p.HostPort, To: p.To}
	}
	return cmp.Or(cmp.Compare(open(p), open(q)), firewall.Classic.ComparePorts(asRule(p), asRule(q)))
}

// ports hands out the ports outside that Docker would choose if nobody else had any: the first free one of a range, and
// where none was asked for, of the ephemeral ones.
type ports map[string]bool // the taken ones, as in 8080/tcp

// portsOf begins with what the plan names itself as taken.
func portsOf(labPlan *plan.Plan) ports {
	taken := ports{}
	for _, h := range labPlan.Hosts {
		for _, p := range h.Ports {
			if p.HostPort != 0 && p.HostPortEnd == 0 {
				taken[portName(int(p.HostPort), p.Proto)] = true
			}
		}
	}
	return taken
}

// choose returns a host's ports of IPv4, each with its number outside, in the order in which dockerd publishes them.
func (t ports) choose(labPlan *plan.Plan, h *plan.Host) ([]firewall.Port, error) {
	var all []firewall.Port
	for _, p := range slices.SortedStableFunc(slices.Values(h.Ports), ComparePorts) {
		if p.To.Addr().Is6() {
			continue // of IPv6's tables
		}
		n := labPlan.Network(networkOf(h, p.To.Addr()))
		first, last := int(p.HostPort), int(p.HostPortEnd)
		if first == 0 {
			first, last = firstFree, 65535
		}
		if last != 0 {
			for first <= last && t[portName(first, p.Proto)] {
				first++
			}
			if first > last {
				return nil, fmt.Errorf("host %s: no port is left for %v/%s", h.Name, p.To, p.Proto)
			}
			t[portName(first, p.Proto)] = true
			p.HostPort = uint16(first)
		}
		all = append(all, Port(n, p))
	}
	return all, nil
}

func portName(number int, proto string) string { return fmt.Sprintf("%d/%s", number, proto) }

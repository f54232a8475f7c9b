package firewall

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"uswitch/nat/rule"
)

// Port is one published port. A range, as in -p 8000-8002:80-82, is as many Ports: Docker has rules for each.
type Port struct {
	Proto string // tcp or udp
	// HostIP is the one address that the port is published on; zero or unspecified: all of them. An IPv6 address in front
	// of an IPv4 container has no rules, because that is the userland proxy's work.
	HostIP netip.Addr
	// HostPort is the port outside. Zero: the port is opened and not translated, which is all that Docker does, and the
	// caller has to ask for, where the gateway mode is routed.
	HostPort uint16
	To       netip.AddrPort // the container's address on the network, and the port that it listens on
}

// String returns the port as docker ps shows it, but with the container's address.
func (p Port) String() string {
	if p.HostPort == 0 {
		return fmt.Sprintf("%s/%s", p.To, p.Proto)
	}
	host := p.HostIP
	if !host.IsValid() {
		host = netip.IPv4Unspecified()
		if p.To.Addr().Is6() {
			host = netip.IPv6Unspecified()
		}
	}
	return fmt.Sprintf("%s->%s/%s", netip.AddrPortFrom(host, p.HostPort), p.To, p.Proto)
}

// check refuses what would not be a rule.
func (p Port) check(f rule.Family) error {
	switch {
	case p.Proto != "tcp" && p.Proto != "udp":
		return fmt.Errorf("port %s: protocol %q: want tcp or udp", p, p.Proto)
	case !ofFamily(p.To.Addr(), f):
		return fmt.Errorf("port %s: container address %s: want %s", p, p.To.Addr(), familyName(f))
	case p.To.Port() == 0:
		return fmt.Errorf("port %s: container port 0: want 1 to 65535", p)
	case p.HostIP.Zone() != "":
		return fmt.Errorf("port %s: host address %s: want one without a zone", p, p.HostIP)
	case f == rule.IPv6 && p.HostIP.Is4():
		return fmt.Errorf("port %s: an IPv4 host address cannot be mapped to an IPv6 container address", p)
	}
	return nil
}

// ComparePorts is the order in which dockerd publishes the ports of a container (moby's cmpPortBinding).
func (d Dialect) ComparePorts(p, q Port) int {
	if d == Docker20 {
		return comparePorts20(p, q)
	}
	return cmp.Or(
		cmp.Compare(p.To.Port(), q.To.Port()),
		strings.Compare(p.Proto, q.Proto),
		cmp.Compare(p.HostPort, q.HostPort),
		p.HostIP.Compare(q.HostIP),
		p.To.Addr().Compare(q.To.Addr()),
	)
}

// AddPorts returns the commands that publish ports of endpoints that the network has. All ports of a container should be
// given at once: their rules are then in the order in which dockerd has them.
func (f *Firewall) AddPorts(now *rule.Ruleset, bridge string, ports ...Port) ([]string, error) {
	n, err := f.named(bridge)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(n.ports)
	open := setOf(all)
	var rules []entry
	for _, p := range slices.SortedFunc(slices.Values(ports), f.daemon.Dialect.ComparePorts) {
		if err := p.check(f.family); err != nil {
			return nil, err
		}
		if !slices.Contains(n.endpoints, p.To.Addr()) {
			return nil, fmt.Errorf("port %s: endpoint %s is not on network %s", p, p.To.Addr(), bridge)
		}
		if open[p] {
			return nil, fmt.Errorf("port %s is published already", p)
		}
		open[p] = true
		all = append(all, p)
		rules = append(rules, f.publication(&n.Network, p)...)
	}
	lines, err := f.place(now, rules)
	if err != nil {
		return nil, err
	}
	n.ports = all
	return lines, nil
}

// RemovePorts returns the commands that undo published ports.
func (f *Firewall) RemovePorts(now *rule.Ruleset, bridge string, ports ...Port) ([]string, error) {
	n, err := f.named(bridge)
	if err != nil {
		return nil, err
	}
	open := setOf(n.ports)
	var rules []entry
	for _, p := range ports {
		if !open[p] {
			return nil, fmt.Errorf("port %s is not published on network %s", p, bridge)
		}
		delete(open, p)
		rules = append(rules, f.publication(&n.Network, p)...)
	}
	lines, err := f.remove(now, rules)
	if err != nil {
		return nil, err
	}
	n.ports = slices.DeleteFunc(slices.Clone(n.ports), func(p Port) bool { return !open[p] })
	return lines, nil
}

func setOf(ports []Port) map[Port]bool {
	all := map[Port]bool{}
	for _, p := range ports {
		all[p] = true
	}
	return all
}

// publication is all the rules of a published port.
func (f *Firewall) publication(n *Network, p Port) (rules []entry) {
	if n.Internal {
		return nil
	}
	outside := fmt.Sprintf("-p %s -m %[1]s --dport %d", p.Proto, p.HostPort)
	inside := fmt.Sprintf("-p %s -m %[1]s --dport %d", p.Proto, p.To.Port())
	container := host(p.To.Addr())
	if f.daemon.Dialect == Docker20 {
		return f.publication20(n, p, outside, inside, container)
	}

	// Where loopback addresses may be routed (route_localnet), a neighbour of the host could send to its 127.0.0.1.
	if p.HostPort != 0 && p.HostIP.Is4() && p.HostIP.IsLoopback() {
		rules = append(rules, appended(rule.Raw, "PREROUTING", "-d", host(p.HostIP), "! -i lo", outside, "-j DROP"))
	}
	if f.family == rule.IPv4 && p.HostIP.Is6() {
		return rules
	}
	if p.HostPort != 0 {
		rules = append(rules, f.translatePort(n, p, outside))
		if !f.daemon.UserlandProxy { // a container calls itself by its published port, and is to see somebody else
			rules = append(rules, appended(rule.NAT, "POSTROUTING", "-s", container, "-d", container, inside, "-j MASQUERADE"))
		}
	}
	if n.GatewayMode != NATUnprotected { // where all ports are open as it is
		rules = append(rules,
			inserted(rule.Filter, chainDocker, "-d", container, "! -i", n.Bridge, "-o", n.Bridge, inside, "-j ACCEPT"))
	}
	return rules
}

// translatePort is the rule that makes a published port what it is.
func (f *Firewall) translatePort(n *Network, p Port, outside string) entry {
	var notFrom, to, notIn string
	if f.family == rule.IPv6 && f.daemon.Dialect != Docker20 { // link-local addresses are not to be routed; those clients are the proxy's
		notFrom = "! -s fe80::/10"
	}
	if p.HostIP.IsValid() && !p.HostIP.IsUnspecified() {
		to = "-d " + host(p.HostIP)
	}
	if f.daemon.UserlandProxy { // which serves the network's own containers
		notIn = "! -i " + n.Bridge
	}
	return appended(rule.NAT, chainDocker, notFrom, to, notIn, outside, "-j DNAT --to-destination", p.To.String())
}

// AddEndpoint returns the commands for a container's address on a network.
func (f *Firewall) AddEndpoint(now *rule.Ruleset, bridge string, endpoint netip.Addr) ([]string, error) {
	n, err := f.named(bridge)
	switch {
	case err != nil:
		return nil, err
	case !ofFamily(endpoint, f.family) || !n.Subnet.Contains(endpoint):
		return nil, fmt.Errorf("endpoint %s: not an address of network %s, %s", endpoint, bridge, n.Subnet.Masked())
	case slices.Contains(n.endpoints, endpoint):
		return nil, fmt.Errorf("endpoint %s is on network %s already", endpoint, bridge)
	}
	lines, err := f.place(now, f.directAccess(&n.Network, endpoint))
	if err != nil {
		return nil, err
	}
	n.endpoints = append(n.endpoints, endpoint)
	return lines, nil
}

// RemoveEndpoint returns the commands that undo an endpoint, with whatever ports are still published to it.
func (f *Firewall) RemoveEndpoint(now *rule.Ruleset, bridge string, endpoint netip.Addr) ([]string, error) {
	n, err := f.named(bridge)
	if err != nil {
		return nil, err
	}
	i := slices.Index(n.endpoints, endpoint)
	if i < 0 {
		return nil, fmt.Errorf("endpoint %s is not on network %s", endpoint, bridge)
	}
	rules := f.directAccess(&n.Network, endpoint)
	published := func(p Port) bool { return p.To.Addr() == endpoint }
	for _, p := range n.ports {
		if published(p) {
			rules = append(rules, f.publication(&n.Network, p)...)
		}
	}
	lines, err := f.remove(now, rules)
	if err != nil {
		return nil, err
	}
	n.endpoints = slices.Delete(n.endpoints, i, i+1)
	n.ports = slices.DeleteFunc(n.ports, published)
	return lines, nil
}

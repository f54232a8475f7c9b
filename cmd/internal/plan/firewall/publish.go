package firewall

import (
	"fmt"

	"uswitch/nat/rule"
)

// publication is all the rules of a published port.
func (f *Firewall) publication(n *Network, p Port) (rules []entry) {
	if n.Internal {
		return nil
	}
	outside := fmt.Sprintf("-p %s -m %[1]s --dport %d", p.Proto, p.HostPort)
	inside := fmt.Sprintf("-p %s -m %[1]s --dport %d", p.Proto, p.To.Port())
	container := host(p.To.Addr())

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
	if f.family == rule.IPv6 { // link-local addresses are not to be routed; those clients are the proxy's
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

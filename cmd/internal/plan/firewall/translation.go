package firewall

import "uswitch/nat/rule"

// translation is which address a network's packets leave with.
func (f *Firewall) translation(n *Network) (rules []entry) {
	to := "-j MASQUERADE"
	if n.HostIP.IsValid() {
		to = "-j SNAT --to-source " + n.HostIP.String()
	}
	if n.Masquerade && n.GatewayMode != Routed {
		rules = append(rules, inserted(rule.NAT, "POSTROUTING", "-s", n.Subnet.Masked().String(), "! -o", n.Bridge, to))
	}
	// A container that calls a published port is left to the proxy: translated, its packets would run into the isolation
	// of the network that the port leads to. Docker 29 has no such isolation.
	if f.daemon.Dialect == Classic && n.Masquerade && f.daemon.UserlandProxy {
		rules = append(rules, inserted(rule.NAT, chainDocker, "-i", n.Bridge, "-j RETURN"))
	}
	// Hairpin: the host calls a published port of its own by a loopback address, to which no container can answer.
	if !f.daemon.UserlandProxy {
		rules = append(rules, inserted(rule.NAT, "POSTROUTING", "-o", n.Bridge, "-m addrtype --src-type LOCAL", to))
	}
	return rules
}

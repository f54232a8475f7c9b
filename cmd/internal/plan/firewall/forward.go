package firewall

import "uswitch/nat/rule"

// forwarding is what may pass between a network that is not internal and the rest of the world.
func (f *Firewall) forwarding(n *Network) (rules []entry) {
	in, out := "-i "+n.Bridge, "-o "+n.Bridge
	outgoing := appended(rule.Filter, chainForward, in, "-j ACCEPT") // to anywhere, the same bridge included
	if !n.ICC {
		rules = append(rules, appended(rule.Filter, chainForward, in, out, "-j DROP"))
		outgoing = appended(rule.Filter, chainForward, in, "!", out, "-j ACCEPT")
	}
	if n.GatewayMode == Routed {
		ping := "-p icmp"
		if f.family == rule.IPv6 {
			ping = "-p ipv6-icmp"
		}
		rules = append(rules, appended(rule.Filter, chainDocker, out, ping, "-j ACCEPT"))
	}
	// Ports are opened by rules at the head of DOCKER, so that this one, at its end, is for all the others.
	others := "-j DROP"
	if n.GatewayMode == NATUnprotected {
		others = "-j ACCEPT"
	}
	return append(rules,
		outgoing,
		appended(rule.Filter, chainDocker, "!", in, out, others),
		appended(rule.Filter, chainCT, out, "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
		appended(rule.Filter, chainBridge, out, "-j", chainDocker),
	)
}

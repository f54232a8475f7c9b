package firewall

import "uswitch/nat/rule"

// isolation keeps the Classic networks apart in two stages: what leaves a bridge for another interface goes to stage 2, and
// is dropped there if that interface is a bridge of Docker's too.
//
// A routed network is different: others may come in (the rules of DOCKER look at them later), and its answers may go out.
// Both exceptions stand before the first stage of all networks.
func isolation(n *Network) (rules []entry) {
	in, out := "-i "+n.Bridge, "-o "+n.Bridge
	if n.GatewayMode == Routed {
		rules = append(rules,
			inserted(rule.Filter, chainIsolation1, out, "-j RETURN"),
			inserted(rule.Filter, chainIsolation1, in, "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
		)
	}
	return append(rules,
		appended(rule.Filter, chainIsolation1, in, "!", out, "-j", chainIsolation2),
		inserted(rule.Filter, chainIsolation2, out, "-j DROP"),
	)
}

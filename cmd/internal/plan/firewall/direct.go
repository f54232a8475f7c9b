package firewall

import (
	"net/netip"

	"uswitch/nat/rule"
)

// directAccess drops what comes to a container's own address from anywhere but its bridge and the interfaces that are
// trusted: the way in is a published port.
func (f *Firewall) directAccess(n *Network, endpoint netip.Addr) (rules []entry) {
	if n.Internal || !n.protected() || f.daemon.AllowDirectRouting {
		return nil
	}
	to := "-d " + host(endpoint)
	for _, trusted := range n.TrustedInterfaces {
		rules = append(rules, appended(rule.Raw, "PREROUTING", to, "-i", trusted, "-j ACCEPT"))
	}
	return append(rules, appended(rule.Raw, "PREROUTING", to, "! -i", n.Bridge, "-j DROP"))
}

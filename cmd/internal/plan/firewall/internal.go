package firewall

import "uswitch/nat/rule"

// internal is all the rules of an internal network: nothing passes its bridge but what is from one of its addresses to
// another.
func (f *Firewall) internal(n *Network) []entry {
	subnet := n.Subnet.Masked().String()
	in, out := "-i "+n.Bridge, "-o "+n.Bridge
	if f.family == rule.IPv6 { // inside the bridge there are other addresses too: link-local ones, multicast
		in, out = in+" ! "+out, "! "+in+" "+out
	}
	walls := f.daemon.walls()
	icc := "-j DROP"
	if n.ICC {
		icc = "-j ACCEPT"
	}
	return []entry{
		inserted(rule.Filter, walls, "! -d", subnet, in, "-j DROP"),
		inserted(rule.Filter, walls, "! -s", subnet, out, "-j DROP"),
		appended(rule.Filter, chainForward, "-i", n.Bridge, "-o", n.Bridge, icc),
	}
}

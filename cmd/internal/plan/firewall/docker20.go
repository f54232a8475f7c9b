package firewall

import (
	"cmp"

	"uswitch/nat/rule"
)

// Docker 20.10 has its rules in FORWARD itself, the newest network in front of the others (libnetwork's drivers/bridge,
// setup_ip_tables.go, and iptables/iptables.go):
//
//	FORWARD  -> DOCKER-USER, DOCKER-ISOLATION-STAGE-1    put to the head again with each network
//	         answers to the bridge, DOCKER for the others, out of it, within it     for each network
//	         ...
//	         within a bridge whose containers must not reach each other: DROP

// forwarding20 is what may pass between a network that is not internal and the rest of the world.
func forwarding20(n *Network) []entry {
	in, out := "-i "+n.Bridge, "-o "+n.Bridge
	return []entry{
		neighbours20(n),
		inserted(rule.Filter, "FORWARD", in, "!", out, "-j ACCEPT"),
		inserted(rule.Filter, "FORWARD", out, "-j", chainDocker),
		inserted(rule.Filter, "FORWARD", out, "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
	}
}

// neighbours20 says whether containers of one network reach each other.
func neighbours20(n *Network) entry {
	if n.ICC {
		return inserted(rule.Filter, "FORWARD", "-i", n.Bridge, "-o", n.Bridge, "-j ACCEPT")
	}
	return appended(rule.Filter, "FORWARD", "-i", n.Bridge, "-o", n.Bridge, "-j DROP")
}

// isolation20 is isolation with both stages before those of the other networks.
func isolation20(n *Network) []entry {
	in, out := "-i "+n.Bridge, "-o "+n.Bridge
	return []entry{
		inserted(rule.Filter, chainIsolation1, in, "!", out, "-j", chainIsolation2),
		inserted(rule.Filter, chainIsolation2, out, "-j DROP"),
	}
}

// publication20 is all the rules of a published port. The last one is for a container that calls itself by it; it is there
// with the proxy too.
func (f *Firewall) publication20(n *Network, p Port, outside, inside, container string) []entry {
	if f.family == rule.IPv4 && p.HostIP.Is6() {
		return nil
	}
	return []entry{
		f.translatePort(n, p, outside),
		appended(rule.Filter, chainDocker, "-d", container, "! -i", n.Bridge, "-o", n.Bridge, inside, "-j ACCEPT"),
		appended(rule.NAT, "POSTROUTING", "-s", container, "-d", container, inside, "-j MASQUERADE"),
	}
}

// comparePorts20 is the order in which dockerd 20.10 publishes the ports of a container: the larger number outside first, then
// the larger one inside, tcp before the others (go-connections' SortPortMap).
func comparePorts20(p, q Port) int {
	tcp := map[bool]int{true: -1}
	return cmp.Or(
		cmp.Compare(q.HostPort, p.HostPort),
		cmp.Compare(q.To.Port(), p.To.Port()),
		cmp.Compare(tcp[p.Proto == "tcp"], tcp[q.Proto == "tcp"]),
		p.HostIP.Compare(q.HostIP),
		p.To.Addr().Compare(q.To.Addr()),
	)
}

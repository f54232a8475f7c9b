package firewall

import (
	"fmt"
	"net/netip"
	"regexp"

	"uswitch/nat/rule"
)

// GatewayMode is com.docker.network.bridge.gateway_mode_ipv4 or _ipv6: how a network meets the others.
type GatewayMode string

// The gateway modes. The empty one is nat, Docker's default.
const (
	NAT            GatewayMode = "nat"             // addresses are translated; only published ports are open
	NATUnprotected GatewayMode = "nat-unprotected" // addresses are translated, and every port is open to who can route to it
	Routed         GatewayMode = "routed"          // no translation; published ports, and ICMP, are open
	Isolated       GatewayMode = "isolated"        // the host has no address on the bridge either; for internal networks
)

// Network is one bridge network as one family of addresses sees it: a network with IPv4 and IPv6 is one Network in each
// family's Firewall.
type Network struct {
	Bridge      string       // the bridge's name: docker0, br-1a2b3c4d5e6f
	Subnet      netip.Prefix // any address of the subnet, with its length
	Internal    bool         // --internal: nothing in, nothing out; published ports are then without effect
	ICC         bool         // enable_icc, Docker's default: containers of the network reach each other
	Masquerade  bool         // enable_ip_masquerade, Docker's default
	GatewayMode GatewayMode
	HostIP      netip.Addr // host_ipv4 or host_ipv6: what leaves takes this address (SNAT); zero: that of the way out (MASQUERADE)
	// TrustedInterfaces is trusted_host_interfaces: those that may reach the containers' own addresses.
	TrustedInterfaces []string
}

// interfaceName is what a bridge may be called here: less than the kernel allows, because the name is put into commands, in
// which a leading dash, a blank or a + at the end would mean something.
var interfaceName = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$`)

// check refuses what dockerd refuses, and what would not be a rule.
func (n *Network) check(f rule.Family) error {
	for _, name := range append([]string{n.Bridge}, n.TrustedInterfaces...) {
		if !interfaceName.MatchString(name) {
			return fmt.Errorf("interface name %q: want up to 15 letters, digits, dots, dashes and underscores", name)
		}
	}
	if !n.Subnet.IsValid() || !ofFamily(n.Subnet.Addr(), f) {
		return fmt.Errorf("network %s: subnet %s: want %s", n.Bridge, n.Subnet, familyName(f))
	}
	if n.HostIP.IsValid() && !ofFamily(n.HostIP, f) {
		return fmt.Errorf("network %s: host address %s: want %s", n.Bridge, n.HostIP, familyName(f))
	}
	switch n.GatewayMode {
	case "", NAT, NATUnprotected, Routed:
	case Isolated:
		if !n.Internal {
			return fmt.Errorf("network %s: gateway mode 'isolated' can only be used for an internal network", n.Bridge)
		}
	default:
		return fmt.Errorf("network %s: gateway mode %q: want nat, nat-unprotected, routed or isolated", n.Bridge, n.GatewayMode)
	}
	return nil
}

// protected reports whether the network's containers are reached by their published ports only.
func (n *Network) protected() bool { return n.GatewayMode == "" || n.GatewayMode == NAT }

// ofFamily reports whether an address is one that a family's rules may speak of.
func ofFamily(a netip.Addr, f rule.Family) bool {
	return a.IsValid() && a.Zone() == "" && (f == rule.IPv4 && a.Is4() || f == rule.IPv6 && a.Is6() && !a.Is4In6())
}

// familyName is what people call a family of addresses.
func familyName(f rule.Family) string {
	if f == rule.IPv6 {
		return "IPv6"
	}
	return "IPv4"
}

// internal is all the rules of an internal network: nothing passes its bridge but what is from one of its addresses to
// another.
func (f *Firewall) internal(n *Network) []entry {
	subnet := n.Subnet.Masked().String()
	in, out := "-i "+n.Bridge, "-o "+n.Bridge
	if f.family == rule.IPv6 { // inside the bridge there are other addresses too: link-local ones, multicast
		in, out = in+" ! "+out, "! "+in+" "+out
	}
	walls := f.daemon.walls()
	icc := appended(rule.Filter, chainForward, "-i", n.Bridge, "-o", n.Bridge, "-j DROP")
	switch {
	case f.daemon.Dialect == Docker20:
		icc = neighbours20(n)
	case n.ICC:
		icc = appended(rule.Filter, chainForward, "-i", n.Bridge, "-o", n.Bridge, "-j ACCEPT")
	}
	return []entry{
		inserted(rule.Filter, walls, "! -d", subnet, in, "-j DROP"),
		inserted(rule.Filter, walls, "! -s", subnet, out, "-j DROP"),
		icc,
	}
}

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
	if f.daemon.Dialect.Isolates() && n.Masquerade && f.daemon.UserlandProxy {
		rules = append(rules, inserted(rule.NAT, chainDocker, "-i", n.Bridge, "-j RETURN"))
	}
	// Hairpin: the host calls a published port of its own by a loopback address, to which no container can answer.
	if !f.daemon.UserlandProxy {
		rules = append(rules, inserted(rule.NAT, "POSTROUTING", "-o", n.Bridge, "-m addrtype --src-type LOCAL", to))
	}
	return rules
}

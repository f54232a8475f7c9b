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

package firewall

import (
	"cmp"
	"fmt"
	"net/netip"
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

// Compare is the order in which dockerd publishes the ports of a container (moby's cmpPortBinding).
func (p Port) Compare(q Port) int {
	return cmp.Or(
		cmp.Compare(p.To.Port(), q.To.Port()),
		strings.Compare(p.Proto, q.Proto),
		cmp.Compare(p.HostPort, q.HostPort),
		p.HostIP.Compare(q.HostIP),
		p.To.Addr().Compare(q.To.Addr()),
	)
}

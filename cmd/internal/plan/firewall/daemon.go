package firewall

import "fmt"

// Dialect is a generation of Docker's rules. The zero value is invalid.
type Dialect uint8

// The dialects.
const (
	Classic  Dialect = iota + 1 // as dockerd 28.5.2: networks are kept apart by DOCKER-ISOLATION-STAGE-1 and -2
	Docker29                    // as dockerd 29 with its iptables backend: each network's own DROP keeps it apart
)

// String returns the name that ParseDialect takes.
func (d Dialect) String() string {
	switch d {
	case Classic:
		return "classic"
	case Docker29:
		return "29"
	}
	return "invalid dialect"
}

// ParseDialect finds a dialect by its name, classic or 29.
func ParseDialect(name string) (Dialect, error) {
	for d := Classic; d <= Docker29; d++ {
		if d.String() == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("dialect of Docker's rules: %q is none: want classic or 29", name)
}

// Daemon is what the options of dockerd say about its rules.
type Daemon struct {
	Dialect Dialect
	// UserlandProxy is userland-proxy, Docker's default: a process listens on each published port and carries what the
	// rules do not reach, above all connections from the host's loopback. Without it, rules do that as well: hairpin NAT.
	UserlandProxy bool
	// UserChain makes the chain DOCKER-USER, empty, and FORWARD's first jump to it. Every dockerd does.
	UserChain bool
	// ForwardDrop sets FORWARD's policy to DROP. A dockerd does that when it was the one to switch ip_forward on.
	ForwardDrop bool
	// AllowDirectRouting is allow-direct-routing: no rule keeps packets from a container's own address that come from
	// anywhere but its bridge.
	AllowDirectRouting bool
}

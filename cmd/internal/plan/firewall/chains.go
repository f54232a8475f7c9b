package firewall

import (
	"fmt"

	"uswitch/nat/rule"
)

// The chains that dockerd makes, by their names.
const (
	chainDocker     = "DOCKER"         // in nat: the published ports; in filter: who may in, network by network
	chainForward    = "DOCKER-FORWARD" // all that dockerd has to say about FORWARD
	chainBridge     = "DOCKER-BRIDGE"  // to a bridge: on to DOCKER
	chainCT         = "DOCKER-CT"      // packets of connections that are known
	chainIsolation1 = "DOCKER-ISOLATION-STAGE-1"
	chainIsolation2 = "DOCKER-ISOLATION-STAGE-2"
	chainInternal   = "DOCKER-INTERNAL" // Docker 29: the walls of internal networks
	chainUser       = "DOCKER-USER"     // for the administrator; dockerd never changes what is in it
)

// filterChains are the chains of the filter table in the order in which dockerd makes them.
func (d *Daemon) filterChains() []string {
	chains := []string{chainDocker, chainForward, chainBridge, chainCT}
	if d.Dialect == Classic {
		return append(chains, chainIsolation1, chainIsolation2)
	}
	return append(chains, chainInternal)
}

// walls is the chain that DOCKER-FORWARD visits to keep networks apart.
func (d *Daemon) walls() string {
	if d.Dialect == Classic {
		return chainIsolation1
	}
	return chainInternal
}

// chains makes what every network needs: the chains, and the jumps to them.
func (f *Firewall) chains(p *plan) {
	p.create(rule.NAT, chainDocker)
	for _, name := range f.daemon.filterChains() {
		p.create(rule.Filter, name)
	}
	for _, e := range f.natJumps() {
		p.place(e)
	}
	if f.daemon.UserChain {
		p.create(rule.Filter, chainUser)
		p.lead("FORWARD", chainUser, chainForward)
	} else {
		p.lead("FORWARD", chainForward)
	}
	p.lead(chainForward, chainCT, f.daemon.walls(), chainBridge)
	if f.daemon.ForwardDrop {
		p.drop("FORWARD")
	}
}

// natJumps send what is meant for an address of the host to the published ports. What the host sends to its own loopback is
// the proxy's, if there is one.
func (f *Firewall) natJumps() []entry {
	var notLoopback string
	if f.daemon.UserlandProxy {
		notLoopback = "! -d 127.0.0.0/8"
		if f.family == rule.IPv6 {
			notLoopback = "! -d ::1/128"
		}
	}
	return []entry{
		appended(rule.NAT, "PREROUTING", "-m addrtype --dst-type LOCAL -j", chainDocker),
		appended(rule.NAT, "OUTPUT", notLoopback, "-m addrtype --dst-type LOCAL -j", chainDocker),
	}
}

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

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
	switch d.Dialect {
	case Docker20:
		return []string{chainDocker, chainIsolation1, chainIsolation2}
	case Classic:
		return []string{chainDocker, chainForward, chainBridge, chainCT, chainIsolation1, chainIsolation2}
	}
	return []string{chainDocker, chainForward, chainBridge, chainCT, chainInternal}
}

// walls is the chain that keeps networks apart.
func (d *Daemon) walls() string {
	if d.Dialect.Isolates() {
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
	}
	if f.daemon.Dialect == Docker20 {
		f.returns(p)
	} else {
		p.lead(chainForward, chainCT, f.daemon.walls(), chainBridge)
	}
	f.jumps(p)
	if f.daemon.ForwardDrop {
		p.drop("FORWARD")
	}
}

// jumps makes FORWARD begin with the jumps to dockerd's chains.
func (f *Firewall) jumps(p *plan) {
	to := f.daemon.Dialect.Forwarding()
	if f.daemon.UserChain {
		p.lead("FORWARD", chainUser, to)
	} else {
		p.lead("FORWARD", to)
	}
}

// returns ends the chains of Docker 20.10 that others are put in front of.
func (f *Firewall) returns(p *plan) {
	for _, name := range []string{chainIsolation1, chainIsolation2, chainUser} {
		if name != chainUser || f.daemon.UserChain {
			p.place(appended(rule.Filter, name, "-j RETURN"))
		}
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
	Docker20 Dialect = iota + 1 // as dockerd 20.10: DOCKER-ISOLATION-STAGE-1 and -2, all else in FORWARD itself; no table raw
	Classic                     // as dockerd 28.5.2: the same two stages, all else in chains of Docker's own
	Docker29                    // as dockerd 29 with its iptables backend: each network's own DROP keeps it apart
)

// dialects has for each dialect the name that ParseDialect takes, and the Docker whose rules it was compared with.
var dialects = [...]struct{ name, version string }{
	Docker20: {"20.10", "20.10.24"}, Classic: {"classic", "28.5.2"}, Docker29: {"29", "29.0.0"},
}

// valid reports whether d is one of the dialects.
func (d Dialect) valid() bool { return d >= Docker20 && int(d) < len(dialects) }

// String returns the name that ParseDialect takes.
func (d Dialect) String() string {
	if !d.valid() {
		return "invalid dialect"
	}
	return dialects[d].name
}

// Version returns the version of Docker whose rules these are.
func (d Dialect) Version() string {
	if !d.valid() {
		return ""
	}
	return dialects[d].version
}

// Isolates reports whether networks are kept apart by DOCKER-ISOLATION-STAGE-1 and -2, whatever ports they have published.
func (d Dialect) Isolates() bool { return d == Docker20 || d == Classic }

// Forwarding returns the chain of Docker's own that FORWARD visits first after DOCKER-USER.
func (d Dialect) Forwarding() string {
	if d == Docker20 {
		return chainIsolation1
	}
	return chainForward
}

// Dialects returns the names of all dialects, from the oldest Docker to the newest.
func Dialects() (names []string) {
	for d := Docker20; d.valid(); d++ {
		names = append(names, d.String())
	}
	return names
}

// ParseDialect finds a dialect by its name: 20.10, classic or 29.
func ParseDialect(name string) (Dialect, error) {
	for d := Docker20; d.valid(); d++ {
		if d.String() == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("dialect of Docker's rules: %q is none: want 20.10, classic or 29", name)
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

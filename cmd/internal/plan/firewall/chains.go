package firewall

import "uswitch/nat/rule"

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

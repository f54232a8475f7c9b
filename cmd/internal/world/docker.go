package world

import (
	"fmt"

	"uswitch/cmd/internal/docker/host"
	"uswitch/cmd/internal/docker/rules"
)

// openDocker publishes a port as dockerd does.
func (w *World) openDocker(p *Published) error {
	tables := w.gateway.Rules()
	lines, err := w.docker.AddPorts(tables.Snapshot(), p.Network, w.dockerPort(p))
	if err != nil {
		return err
	}
	if err := tables.Apply(append(lines, added(w.proxying(p))...)); err != nil {
		// There are none of its rules; what is left to do is that dockerd forgets the port.
		_, _ = w.docker.RemovePorts(tables.Snapshot(), p.Network, w.dockerPort(p))
		return err
	}
	return nil
}

// closeDocker undoes openDocker.
func (w *World) closeDocker(p *Published) {
	w.delete(w.proxying(p))
	tables := w.gateway.Rules()
	if lines, err := w.docker.RemovePorts(tables.Snapshot(), p.Network, w.dockerPort(p)); err == nil {
		_ = tables.Apply(lines) // which were tried on a copy of these very tables
	}
}

// dockerPort is an open port as dockerd knows it.
func (w *World) dockerPort(p *Published) rules.Port {
	return host.Port(w.plan, w.plan.Host(p.Host), p.Publish)
}

// proxying is what Docker's rules leave to its userland proxy, for which a gateway has no place: ports that are published on
// one address of this machine, and the hosts of the port's own network. Docker's rules stand before these and translate
// nothing for them.
//
// In the classic rules, those of other networks are the proxy's too: translated, their packets would run into the isolation.
// So they pass before it, but behind DOCKER-USER, where the administrator has spoken.
func (w *World) proxying(p *Published) []ruleText {
	proxy := []ruleText{translation(p), hairpin(p)}
	if w.plan.DockerRules == rules.Classic.String() {
		pass := fmt.Sprintf("-d %v ! -i %s -o %s -p %s --dport %d -m conntrack --ctstate DNAT -j ACCEPT",
			p.inside(), UplinkName, p.Network, p.Proto, p.To.Port())
		proxy = append(proxy, ruleText{table: "filter", chain: "DOCKER-FORWARD", text: pass, head: true})
	}
	return proxy
}

package world

import (
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"

	"uswitch/cmd/internal/plan/dockerhost"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
	"uswitch/tap"
)

// dockerDo lets dockerd change the rules of its family. Where they are not as it takes them for, undo makes it forget what it has just
// been told; nil: there is nothing to forget.
func dockerDo(tables *rule.Tables, change, undo func(now *rule.Ruleset) ([]string, error), more ...string) error {
	lines, err := change(tables.Snapshot())
	if err != nil {
		return err
	}
	err = tables.Apply(append(lines, more...)) // which were tried on a copy of these very tables
	if err != nil && undo != nil {
		_, _ = undo(tables.Snapshot()) // there are none of the rules
	}
	return err
}

// openDocker publishes ports as dockerd does. After an error, none of them is open.
func (w *World) openDocker(ports []*Published) error {
	var done []*Published
	for _, some := range byNetwork(ports) {
		network, known, docker := some[0].Network, dockerPorts(some), w.dockerOf(some[0])
		err := dockerDo(w.tables(some[0].family()),
			func(now *rule.Ruleset) ([]string, error) { return docker.AddPorts(now, network, known...) },
			func(now *rule.Ruleset) ([]string, error) { return docker.RemovePorts(now, network, known...) },
			added(each(some, w.proxying))...)
		if err != nil {
			w.closeDocker(done)
			return err
		}
		done = append(done, some...)
	}
	return nil
}

// closeDocker undoes openDocker.
func (w *World) closeDocker(ports []*Published) {
	for _, some := range byNetwork(ports) {
		tables := some[0].family()
		w.delete(tables, each(some, w.proxying))
		_ = dockerDo(w.tables(tables), func(now *rule.Ruleset) ([]string, error) {
			return w.dockerOf(some[0]).RemovePorts(now, some[0].Network, dockerPorts(some)...)
		}, nil)
	}
}

// dockerOf returns the dockerd of the tables with a port's rules.
func (w *World) dockerOf(p *Published) *firewall.Firewall {
	return w.docker[slices.Index(families[:], p.family())]
}

// byNetwork takes ports apart into those of one network and family that follow each other.
func byNetwork(ports []*Published) (runs [][]*Published) {
	for i, p := range ports {
		if i == 0 || p.Network != ports[i-1].Network || p.v6() != ports[i-1].v6() {
			runs = append(runs, nil)
		}
		last := &runs[len(runs)-1]
		*last = append(*last, p)
	}
	return runs
}

// dockerPorts are ports as dockerd knows them.
func dockerPorts(ports []*Published) (all []firewall.Port) {
	for _, p := range ports {
		all = append(all, p.docker)
	}
	return all
}

// openEndpoint makes the rules of an interface's addresses as dockerd does.
func (w *World) openEndpoint(c *NIC) error {
	network := c.Plan.Network
	for i, family := range families {
		address, docker := dockerhost.Address(c.Plan, family), w.docker[i]
		if !address.IsValid() {
			continue
		}
		err := dockerDo(w.tables(family),
			func(now *rule.Ruleset) ([]string, error) { return docker.AddEndpoint(now, network, address) },
			func(now *rule.Ruleset) ([]string, error) { return docker.RemoveEndpoint(now, network, address) })
		if err != nil {
			return err
		}
	}
	return nil
}

// closeEndpoint undoes openEndpoint, as far as there is something left of it.
func (w *World) closeEndpoint(c *NIC) {
	for i, family := range families {
		address, docker := dockerhost.Address(c.Plan, family), w.docker[i]
		if !address.IsValid() {
			continue
		}
		_ = dockerDo(w.tables(family), func(now *rule.Ruleset) ([]string, error) {
			return docker.RemoveEndpoint(now, c.Plan.Network, address)
		}, nil)
	}
}

// dockerPort is an open port as dockerd knows it.
func (w *World) dockerPort(p *Published) firewall.Port {
	return dockerhost.Port(w.Network(p.Network).Plan, p.Publish)
}

// proxying is what Docker's rules leave to its userland proxy, for which a gateway has no place: ports that are published on
// one address of this machine, and the hosts of the port's own network. Docker's rules stand before these and translate
// nothing for them. In a list of the rules these are known by their comment.
//
// Where networks are kept apart by an isolation of their own, those of other networks are the proxy's too: translated, their packets would run into the isolation.
// So would those of the port's own network where its hosts do not reach each other. So they pass before it, but behind
// DOCKER-USER, where the administrator has spoken.
func (w *World) proxying(p *Published) []ruleText {
	if p.routed {
		return nil
	}
	proxy := []ruleText{w.translation(p), hairpin(p)}
	dialect := w.docker[0].Dialect()
	if dialect.Isolates() || !w.Network(p.Network).Plan.ICC {
		pass := fmt.Sprintf("-d %v ! -i %s -o %s -p %s --dport %d -m conntrack --ctstate DNAT -j ACCEPT",
			p.inside(), w.uplinkName(), p.Network, p.Proto, p.To.Port())
		proxy = append(proxy, ruleText{table: "filter", chain: dialect.Forwarding(), text: pass, head: true})
	}
	if dialect == firewall.Docker20 { // whose isolation stands before its rules for answers
		answer := fmt.Sprintf("-s %v -i %s ! -o %s -p %s --sport %d -m conntrack --ctstate DNAT -j ACCEPT",
			p.inside(), p.Network, w.uplinkName(), p.Proto, p.To.Port())
		proxy = append(proxy, ruleText{table: "filter", chain: dialect.Forwarding(), text: answer, head: true})
	}
	for i := range proxy {
		proxy[i].text = strings.Replace(proxy[i].text, " -j ", " -m comment --comment "+proxyComment+" -j ", 1)
	}
	return proxy
}

// proxyComment marks what stands for Docker's userland proxy.
const proxyComment = "docker-proxy"

// StartIn starts a program inside a host besides the host's own command, with rights of its own. Whoever starts it looks after
// it; it is ended with the host at the latest.
func (w *World) StartIn(host string, cmd *exec.Cmd, r tap.Rights) (tap.Process, error) {
	h, err := w.findHost(host)
	if err != nil {
		return nil, err
	}
	return w.host.StartAs(h.Namespace, cmd, r)
}

// Taken returns the networks of this machine, among which no subnet is chosen for a network that comes later.
func (w *World) Taken() []netip.Prefix { return w.taken() }

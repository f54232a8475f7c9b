package firewall_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat/rule"
)

// everyKind runs a test for both dialects, both families, with and without the proxy.
func everyKind(t *testing.T, test func(t *testing.T, f rule.Family, d firewall.Daemon)) {
	for name, f := range map[string]rule.Family{"ipv4": rule.IPv4, "ipv6": rule.IPv6} {
		for _, dialect := range []firewall.Dialect{firewall.Docker20, firewall.Classic, firewall.Docker29} {
			for proxy, on := range map[string]bool{"proxy": true, "no proxy": false} {
				t.Run(dialect.String()+" "+name+" "+proxy, func(t *testing.T) {
					t.Parallel()
					test(t, f, firewall.Daemon{Dialect: dialect, UserlandProxy: on, UserChain: true, ForwardDrop: true})
				})
			}
		}
	}
}

// TestChangesInAnyOrder adds and removes what a town has, at random, and looks each time whether there is exactly what a
// machine has that came to the same town without detours.
func TestChangesInAnyOrder(t *testing.T) {
	everyKind(t, func(t *testing.T, f rule.Family, d firewall.Daemon) {
		random := rand.New(rand.NewPCG(4, 260))
		h := newHost(t, f, d)
		h.start()
		clean := h.save()
		all := townOf(f, d.Dialect)
		have := town{}
		for range 120 {
			h.step(random, all, &have)
			direct := newHost(t, f, d)
			direct.start()
			direct.build(have)
			if got, want := sorted(h.save()), sorted(direct.save()); got != want {
				same(t, got, want)
				return
			}
		}
		for _, n := range slices.Clone(have.networks) {
			h.removeNetwork(n.Bridge)
		}
		same(t, h.save(), clean)
	})
}

// step adds something that the town lacks and that can be added, or removes something that it has.
func (h *host) step(random *rand.Rand, all town, have *town) {
	h.t.Helper()
	network := all.networks[random.IntN(len(all.networks))]
	built := slices.ContainsFunc(have.networks, func(n firewall.Network) bool { return n.Bridge == network.Bridge })
	end := all.endpoints[random.IntN(len(all.endpoints))]
	port := all.ports[random.IntN(len(all.ports))]
	switch random.IntN(3) {
	case 0:
		if !built {
			h.addNetwork(network)
			have.networks = append(have.networks, network)
		} else if random.IntN(3) == 0 {
			h.removeNetwork(network.Bridge)
			have.networks = slices.DeleteFunc(have.networks, func(n firewall.Network) bool { return n.Bridge == network.Bridge })
			have.endpoints = slices.DeleteFunc(have.endpoints, func(e endpoint) bool { return e.bridge == network.Bridge })
			have.ports = slices.DeleteFunc(have.ports, func(p published) bool { return p.bridge == network.Bridge })
		}
	case 1:
		if !have.has(end.bridge) {
			return
		}
		if i := slices.Index(have.endpoints, end); i < 0 {
			h.addEndpoint(end.bridge, end.address)
			have.endpoints = append(have.endpoints, end)
		} else if random.IntN(3) == 0 {
			h.removeEndpoint(end.bridge, end.address)
			have.endpoints = slices.Delete(have.endpoints, i, i+1)
			have.ports = slices.DeleteFunc(have.ports, func(p published) bool { return p.port.To.Addr() == end.address })
		}
	case 2:
		if !slices.Contains(have.endpoints, endpoint{port.bridge, port.port.To.Addr()}) {
			return
		}
		if i := slices.Index(have.ports, port); i < 0 {
			h.addPorts(port.bridge, port.port)
			have.ports = append(have.ports, port)
		} else {
			h.removePorts(port.bridge, port.port)
			have.ports = slices.Delete(have.ports, i, i+1)
		}
	}
}

// has reports whether a network is built.
func (w *town) has(bridge string) bool {
	return slices.ContainsFunc(w.networks, func(n firewall.Network) bool { return n.Bridge == bridge })
}

// sorted returns the lines of a text in the order of the alphabet: what there is, whatever its order.
func sorted(text string) string {
	return strings.Join(slices.Sorted(strings.SplitSeq(text, "\n")), "\n")
}

// TestSharedRule publishes one port of a container twice: the rule that opens it is there as long as one of them is.
func TestSharedRule(t *testing.T) {
	h := newHost(t, rule.IPv4, classicDaemon)
	h.start()
	all := townOf(rule.IPv4, firewall.Classic)
	h.addNetwork(all.networks[0])
	h.addEndpoint("docker0", all.endpoints[0].address)
	once, twice := all.ports[1].port, all.ports[2].port
	h.addPorts("docker0", once)
	with := h.save()
	h.addPorts("docker0", twice)
	h.removePorts("docker0", twice)
	same(t, h.save(), with)

	h.addPorts("docker0", twice)
	h.removePorts("docker0", once, twice)
	same(t, h.chain(rule.Filter, "DOCKER"), "! -i docker0 -o docker0 -j DROP\n")
}

// TestLinesReadAsListed checks that each command says its rule as iptables -S prints it.
func TestLinesReadAsListed(t *testing.T) {
	everyKind(t, func(t *testing.T, f rule.Family, d firewall.Daemon) {
		h := newHost(t, f, d)
		h.start()
		h.build(townOf(f, d.Dialect))
		listed := map[string]bool{}
		for line := range strings.SplitSeq(h.save(), "\n") {
			listed[line] = true
		}
		for _, line := range h.lines {
			words := strings.SplitN(line, " ", 6) // iptables -t TABLE -A CHAIN ...
			if verb := words[3]; (verb == "-A" || verb == "-I") && !listed["-A "+words[4]+" "+words[5]] {
				t.Errorf("%s\nis not listed in these words", line)
			}
		}
	})
}

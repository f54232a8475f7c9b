package breakage

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// gatewayFaults are those of rules, routes and addresses of the gateway.
func (l *lab) gatewayFaults() (all []Fault) {
	if l.info.Forward {
		all = append(all, Fault{"ip-forward-off", []Action{outside("set gateway ip_forward=0")}, []Action{outside("set gateway ip_forward=1")}})
	}
	for _, table := range []string{"filter", "mangle", "nat", "raw"} {
		all = append(all, l.rulesRemoved(table)...)
	}
	all = append(all, l.rulesInserted()...)
	for _, r := range l.routes {
		if r.Dst != "default" {
			continue
		}
		by := "dev " + r.Dev
		if r.Gateway != "" {
			by = "via " + r.Gateway + " " + by
		}
		all = append(all, Fault{"gateway-route-removed", []Action{outside("ip route del default")}, []Action{outside("ip route add default " + by)}})
	}
	return append(all, l.addressesMoved()...)
}

// rulesRemoved are rules that are missing. A rule comes back to its own place in the chain.
func (l *lab) rulesRemoved(table string) (all []Fault) {
	number := map[string]int{}
	for _, line := range l.rules[table] {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		chain, rest := fields[1], strings.Join(fields[2:], " ")
		switch {
		case fields[0] == "-A":
			number[chain]++
			if strings.Contains(line, `"`) {
				continue // words with blanks in them
			}
			all = append(all, Fault{"rule-removed", []Action{outside(fmt.Sprintf("iptables -t %s -D %s %d", table, chain, number[chain]))},
				[]Action{outside(fmt.Sprintf("iptables -t %s -I %s %d %s", table, chain, number[chain], rest))}})
		case line == "-P FORWARD ACCEPT" && table == "filter":
			all = append(all, Fault{"policy-drop", []Action{outside("iptables -P FORWARD DROP")}, []Action{outside("iptables -P FORWARD ACCEPT")}})
		}
	}
	return all
}

// rulesInserted are rules that somebody has written who should not have.
func (l *lab) rulesInserted() (all []Fault) {
	chain := "FORWARD"
	if slices.Contains(l.rules["filter"], "-N DOCKER-USER") {
		chain = "DOCKER-USER"
	}
	for _, h := range l.hosts {
		a := h.Interfaces[0].Address.Addr()
		for _, match := range []string{"-s " + a.String(), "-d " + a.String()} {
			all = append(all, Fault{"rule-inserted", []Action{outside("iptables -I " + chain + " " + match + " -j DROP")},
				[]Action{outside("iptables -D " + chain + " " + match + " -j DROP")}})
		}
		all = append(all, Fault{"rule-inserted", []Action{outside(fmt.Sprintf("iptables -I INPUT -s %v -p icmp -j DROP", a))},
			[]Action{outside(fmt.Sprintf("iptables -D INPUT -s %v -p icmp -j DROP", a))}})
	}
	return all
}

// addressesMoved are gateways with another address than their hosts believe.
func (l *lab) addressesMoved() (all []Fault) {
	for _, n := range l.networks {
		if !n.Gateway.IsValid() {
			continue
		}
		right := netip.PrefixFrom(n.Gateway, n.Subnet.Bits())
		wrong := netip.PrefixFrom(l.free(n.Subnet, 0), n.Subnet.Bits())
		if !wrong.Addr().IsValid() || slices.ContainsFunc(l.routes, l.via(n.Name)) {
			continue
		}
		all = append(all, Fault{"gateway-address-wrong",
			[]Action{outside(fmt.Sprintf("ip addr del %v dev %s", right, n.Name)), outside(fmt.Sprintf("ip addr add %v dev %s", wrong, n.Name))},
			[]Action{outside(fmt.Sprintf("ip addr del %v dev %s", wrong, n.Name)), outside(fmt.Sprintf("ip addr add %v dev %s", right, n.Name))}})
	}
	return all
}

// hostFaults are those inside hosts: interfaces, addresses, routes, neighbours.
func (l *lab) hostFaults() (all []Fault) {
	for _, h := range l.hosts {
		for _, nic := range h.Interfaces {
			all = append(all, l.nicFaults(h, nic)...)
			for _, peer := range l.peers(h, nic) {
				a := on(peer, nic.Network).Address.Addr()
				all = append(all, Fault{"neighbour-wrong",
					[]Action{inside(h.Name, fmt.Sprintf("ip neigh replace %v lladdr 02:00:00:00:00:0f dev %s nud permanent", a, nic.Name))},
					[]Action{inside(h.Name, fmt.Sprintf("ip neigh del %v dev %s", a, nic.Name))}})
			}
		}
		if h.Gateway.IsValid() {
			all = append(all, l.routeFaults(h)...)
		}
	}
	return all
}

// routes returns what brings a host's default route back if it leaves by an interface: it goes with the interface's address.
func defaultRoute(h api.Host, nic api.Interface) []Action {
	if !h.Gateway.IsValid() || !nic.Address.Masked().Contains(h.Gateway) {
		return nil
	}
	return []Action{inside(h.Name, fmt.Sprintf("ip route replace default via %v dev %s", h.Gateway, nic.Name))}
}

func (l *lab) nicFaults(h api.Host, nic api.Interface) []Fault {
	back := defaultRoute(h, nic)
	link := func(what string) Action { return inside(h.Name, "ip link set "+nic.Name+" "+what) }
	addr := func(verb string, p netip.Prefix) Action {
		return inside(h.Name, fmt.Sprintf("ip addr %s %v dev %s", verb, p, nic.Name))
	}
	all := []Fault{
		{"card-down", []Action{link("down")}, append([]Action{link("up")}, back...)},
		{"address-missing", []Action{addr("del", nic.Address)}, append([]Action{addr("add", nic.Address)}, back...)},
	}
	if nic.MTU > 600 {
		all = append(all, Fault{"mtu-small", []Action{link("mtu 576")}, []Action{link(fmt.Sprintf("mtu %d", nic.MTU))}})
	}
	if narrow, ok := narrowed(nic.Address, h.Gateway); ok {
		all = append(all, Fault{"netmask-wrong", append([]Action{addr("del", nic.Address), addr("add", narrow)}, back...),
			append([]Action{addr("del", narrow), addr("add", nic.Address)}, back...)})
	}
	return all
}

// narrowed returns the longest prefix of an interface that still has its gateway in it.
func narrowed(nic netip.Prefix, gateway netip.Addr) (narrow netip.Prefix, ok bool) {
	if !nic.Contains(gateway) {
		return nic, false
	}
	for bits := 30; bits > nic.Bits(); bits-- {
		p := netip.PrefixFrom(nic.Addr(), bits)
		edge := func(a netip.Addr) bool { return a == p.Masked().Addr() || a == last(p) }
		if p.Contains(gateway) && !edge(nic.Addr()) && !edge(gateway) {
			return p, true
		}
	}
	return nic, false
}

// routeFaults are default routes that are missing, or lead to nobody: to an address that the gateway has not had either, whose
// neighbours would find it there for a while (addressesMoved).
func (l *lab) routeFaults(h api.Host) (all []Fault) {
	right := []Action{inside(h.Name, fmt.Sprintf("ip route replace default via %v", h.Gateway))}
	all = append(all, Fault{"route-missing", []Action{inside(h.Name, "ip route del default")}, right})
	for _, n := range l.networks {
		if wrong := l.free(n.Subnet, 1); n.Gateway == h.Gateway && wrong.IsValid() {
			all = append(all, Fault{"route-wrong", []Action{inside(h.Name, fmt.Sprintf("ip route replace default via %v", wrong))}, right})
		}
	}
	return all
}

// via reports of a route whether somebody has added it by a network: it would go with the network's address.
func (l *lab) via(network string) func(api.Route) bool {
	return func(r api.Route) bool { return r.Dev == network && r.Protocol != "kernel" }
}

// free returns an address of a network that nobody has: the highest one but so many; invalid if there is none.
func (l *lab) free(subnet netip.Prefix, but int) netip.Addr {
	taken := map[netip.Addr]bool{}
	for _, n := range l.networks {
		taken[n.Gateway] = true
	}
	for _, h := range l.hosts {
		for _, i := range h.Interfaces {
			taken[i.Address.Addr()] = true
		}
	}
	for a := last(subnet).Prev(); subnet.Contains(a.Prev()); a = a.Prev() {
		if taken[a] {
			continue
		}
		if but--; but < 0 {
			return a
		}
	}
	return netip.Addr{}
}

// last returns the last address of a network, which is its broadcast address.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 1 << (7 - bit%8)
	}
	return netip.AddrFrom4(b)
}

// switchFaults are those of ports, of the forwarding table, and of what is published.
func (l *lab) switchFaults() (all []Fault) {
	for _, h := range l.hosts {
		for _, nic := range h.Interfaces {
			at := h.Name + " --network " + nic.Network
			if p, ok := l.port(h.Name, nic.Network); ok && p.BcastFlood {
				all = append(all, Fault{"broadcasts-off", []Action{outside("set port " + at + " bcast_flood=off")},
					[]Action{outside("set port " + at + " bcast_flood=on")}})
			}
			peers := l.peers(h, nic)
			if len(peers) == 0 {
				continue
			}
			other := peers[0].Name + " --network " + nic.Network
			if h.Name < peers[0].Name {
				all = append(all, Fault{"ports-isolated", []Action{outside("set port " + at + " isolated=on"), outside("set port " + other + " isolated=on")},
					[]Action{outside("set port " + at + " isolated=off"), outside("set port " + other + " isolated=off")}})
			}
			station := fmt.Sprintf("set fdb %v --network %s ", nic.MAC, nic.Network)
			all = append(all, Fault{"station-misplaced", []Action{outside(station + "port=" + peers[0].Name)}, []Action{outside(station + "port=none")}})
		}
	}
	for _, p := range l.published {
		if !slices.ContainsFunc(l.hosts, func(h api.Host) bool { return h.Name == p.Host }) {
			continue
		}
		port := fmt.Sprintf("%s %v:%d:%d/%s", p.Host, p.HostIP, p.HostPort, p.To.Port(), p.Protocol)
		if p.Reach != "" { // the uplink's own address stands for every address
			port = fmt.Sprintf("%s %d:%d/%s", p.Host, p.HostPort, p.To.Port(), p.Protocol)
		}
		all = append(all, Fault{"port-closed", []Action{outside("publish rm " + port)}, []Action{outside("publish add " + port)}})
	}
	return all
}

func (l *lab) port(host, network string) (api.Port, bool) {
	for _, p := range l.ports {
		if p.Name == host && p.Network == network {
			return p, true
		}
	}
	return api.Port{}, false
}

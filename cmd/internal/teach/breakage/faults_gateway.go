package breakage

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
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
		wrong := netip.PrefixFrom(l.free(n.Subnet), n.Subnet.Bits())
		if !wrong.Addr().IsValid() || slices.ContainsFunc(l.routes, l.via(n.Name)) {
			continue
		}
		all = append(all, Fault{"gateway-address-wrong",
			[]Action{outside(fmt.Sprintf("ip addr del %v dev %s", right, n.Name)), outside(fmt.Sprintf("ip addr add %v dev %s", wrong, n.Name))},
			[]Action{outside(fmt.Sprintf("ip addr del %v dev %s", wrong, n.Name)), outside(fmt.Sprintf("ip addr add %v dev %s", right, n.Name))}})
	}
	return all
}

package breakage

import (
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
)

// via reports of a route whether somebody has added it by a network: it would go with the network's address.
func (l *lab) via(network string) func(api.Route) bool {
	return func(r api.Route) bool { return r.Dev == network && r.Protocol != "kernel" }
}

// free returns an address of a network that nobody has, the highest one; invalid if there is none.
func (l *lab) free(subnet netip.Prefix) netip.Addr {
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
		if !taken[a] {
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
		for _, card := range h.Interfaces {
			at := h.Name + " --network " + card.Network
			if p, ok := l.port(h.Name, card.Network); ok && p.BcastFlood {
				all = append(all, Fault{"broadcasts-off", []Action{outside("set port " + at + " bcast_flood=off")},
					[]Action{outside("set port " + at + " bcast_flood=on")}})
			}
			peers := l.peers(h, card)
			if len(peers) == 0 {
				continue
			}
			other := peers[0].Name + " --network " + card.Network
			if h.Name < peers[0].Name {
				all = append(all, Fault{"ports-isolated", []Action{outside("set port " + at + " isolated=on"), outside("set port " + other + " isolated=on")},
					[]Action{outside("set port " + at + " isolated=off"), outside("set port " + other + " isolated=off")}})
			}
			station := fmt.Sprintf("set fdb %v --network %s ", card.MAC, card.Network)
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

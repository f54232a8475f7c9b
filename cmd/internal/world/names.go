package world

import (
	"net/netip"

	"uswitch/cmd/internal/lab"
	"uswitch/cmd/internal/names"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Names tells what the lab calls its addresses; it is for the heads of journeys.
func Names(plan *lab.Plan) trace.Names {
	n := labNames{unknown: names.Unknown(names.Of(plan)), byIP: map[netip.Addr]string{}, byMAC: map[frame.MAC]string{}}
	for _, network := range plan.Networks {
		n.byIP[network.Gateway.Addr()] = "gateway"
		n.byMAC[network.GatewayMAC] = "gateway"
	}
	for _, h := range plan.Hosts {
		for _, i := range h.Interfaces {
			n.byIP[i.Address.Addr()] = h.Name
			n.byMAC[i.MAC] = h.Name
		}
	}
	return n
}

type labNames struct {
	unknown func(netip.Addr, string) (string, bool)
	byIP    map[netip.Addr]string
	byMAC   map[frame.MAC]string
}

// Name implements trace.Names.
func (n labNames) Name(a netip.Addr) (string, bool) {
	name, ok := n.byIP[a]
	return name, ok
}

// Unknown implements trace.Knowing.
func (n labNames) Unknown(asker netip.Addr, name string) (why string, ok bool) {
	return n.unknown(asker, name)
}

// NameMAC implements trace.Names.
func (n labNames) NameMAC(m frame.MAC) (string, bool) {
	name, ok := n.byMAC[m]
	return name, ok
}

// Addresses returns the hosts with their addresses, for filters.
func Addresses(plan *lab.Plan) map[string][]netip.Addr {
	all := map[string][]netip.Addr{}
	for _, h := range plan.Hosts {
		for _, i := range h.Interfaces {
			all[h.Name] = append(all[h.Name], i.Address.Addr())
		}
	}
	for _, n := range plan.Networks {
		all["gateway"] = append(all["gateway"], n.Gateway.Addr())
	}
	return all
}

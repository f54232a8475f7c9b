package world

import (
	"net/netip"
	"sync/atomic"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world/names"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Names tells what the lab calls its addresses; it is for the heads of journeys.
func Names(p *plan.Plan) trace.Knowing {
	n := labNames{unknown: names.Unknown(names.Of(p)), byIP: map[netip.Addr]string{}, byMAC: map[frame.MAC]string{}}
	for _, network := range p.Networks {
		if network.Gateway.IsValid() {
			n.byIP[network.Gateway.Addr()] = "gateway"
			n.byMAC[network.GatewayMAC] = "gateway"
		}
		if six := network.IPv6; six != nil && six.Gateway.IsValid() {
			n.byIP[six.Gateway.Addr()] = "gateway"
		}
	}
	for _, h := range p.Hosts {
		for _, i := range h.Interfaces {
			n.byIP[i.Address.Addr()] = h.Name
			if i.Address6.IsValid() {
				n.byIP[i.Address6.Addr()] = h.Name
			}
			n.byMAC[i.MAC] = h.Name
		}
	}
	return n
}

type labNames struct {
	unknown func(trace.Language, netip.Addr, string) (string, bool)
	byIP    map[netip.Addr]string
	byMAC   map[frame.MAC]string
}

// Name implements trace.Names.
func (n labNames) Name(a netip.Addr) (string, bool) {
	name, ok := n.byIP[a]
	return name, ok
}

// Unknown implements trace.Knowing.
func (n labNames) Unknown(in trace.Language, asker netip.Addr, name string) (why string, ok bool) {
	return n.unknown(in, asker, name)
}

// NameMAC implements trace.Names.
func (n labNames) NameMAC(m frame.MAC) (string, bool) {
	name, ok := n.byMAC[m]
	return name, ok
}

// Names tells what the lab calls its addresses, as it is whenever it is asked. It may be used from many goroutines.
func (w *World) Names() trace.Knowing { return &namesNow{world: w} }

// namesNow remembers the names of a plan until there is another one.
type namesNow struct {
	world *World
	last  atomic.Pointer[namesOf]
}

type namesOf struct {
	plan  *plan.Plan
	names trace.Knowing
}

func (n *namesNow) now() trace.Knowing {
	plan := n.world.Plan()
	last := n.last.Load()
	if last == nil || last.plan != plan {
		last = &namesOf{plan, Names(plan)}
		n.last.Store(last)
	}
	return last.names
}

// Name implements trace.Names.
func (n *namesNow) Name(a netip.Addr) (string, bool) { return n.now().Name(a) }

// NameMAC implements trace.Names.
func (n *namesNow) NameMAC(m frame.MAC) (string, bool) { return n.now().NameMAC(m) }

// Unknown implements trace.Knowing.
func (n *namesNow) Unknown(in trace.Language, asker netip.Addr, name string) (why string, ok bool) {
	return n.now().Unknown(in, asker, name)
}

// Addresses returns the hosts with their addresses, for filters.
func Addresses(p *plan.Plan) map[string][]netip.Addr {
	all := map[string][]netip.Addr{}
	for _, h := range p.Hosts {
		for _, i := range h.Interfaces {
			all[h.Name] = append(all[h.Name], i.Address.Addr())
		}
	}
	for _, n := range p.Networks {
		if n.Gateway.IsValid() {
			all["gateway"] = append(all["gateway"], n.Gateway.Addr())
		}
	}
	return all
}

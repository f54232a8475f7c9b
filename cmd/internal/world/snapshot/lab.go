package snapshot

import (
	"net/netip"
	"slices"

	"uswitch/cmd/internal/explain"
	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/sim"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// Of returns the lab as it is now, which must be closed when it has been asked. A host whose namespace cannot be looked into is
// described as the lab file has it. What it answers is in a language.
func Of(w *world.World, in trace.Language) *explain.Lab {
	l := &explain.Lab{In: in, Now: w.Now(), Gateway: w.Gateway(), Homes: map[string]string{}, Uplink: uplink(w)}
	if l.Uplink.Kind == explain.Host {
		if here, err := tap.LookHere(); err == nil {
			l.Defer(here.Close)
			l.Uplink.Machine = kernel{here, in("this machine"), in}
		}
	}
	for _, n := range w.Networks() {
		l.Switches = append(l.Switches, n.Switch)
	}
	for _, h := range w.Hosts() {
		if h.Plan.Mode == plan.ModeShared || h.Plan.Mode == plan.ModeHost {
			l.Homes[h.Plan.Name] = home(w.Plan(), h.Plan)
			continue
		}
		l.Hosts = append(l.Hosts, host(w, h, l))
	}
	return l
}

// home names the host in whose namespace another one is; empty if that is this machine's.
func home(p *plan.Plan, h *plan.Host) string {
	if home := p.Home(h); home != nil && home.Mode != plan.ModeHost {
		return home.Name
	}
	return ""
}

func uplink(w *world.World) explain.Uplink {
	plan := w.Plan()
	u := explain.Uplink{Kind: explain.Kind(plan.Uplink.Kind), AllowHost: plan.AllowHost, Refuses: w.Refuses, NextHop: plan.Uplink.Gateway}
	if u.Kind == explain.Sim {
		if u.Internet = world.InternetOf(plan.Uplink); u.Internet.Routers == nil {
			u.NextHop = sim.DefaultNextHop
		}
	}
	return u
}

// host describes a host: its interfaces' cables as the lab has them, all else as it is inside.
func host(w *world.World, h *world.Host, l *explain.Lab) sim.HostState {
	s := sim.HostState{Name: h.Plan.Name}
	for _, c := range h.NICs {
		nic := sim.NICState{Name: c.Plan.Name, Network: c.Plan.Network, Port: c.Port.Name(), Addr: c.Plan.Address, MAC: c.Plan.MAC,
			MTU: c.Plan.MTU}
		if _, out := c.Unplugged(); out {
			nic.Port = ""
		}
		s.NICs = append(s.NICs, nic)
	}
	if w.Simulated() {
		if state, err := w.SimulatedState(h); err == nil {
			return simulated(s, state)
		}
	} else if in, err := tap.Look(h.Namespace); err == nil {
		l.Defer(in.Close)
		return looked(s, in, l.In)
	}
	if h.Plan.Gateway.IsValid() {
		s.Routes = []sim.HostRoute{{Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: h.Plan.Gateway, NIC: h.Plan.GatewayDev}}
	}
	for _, at := range []sim.Point{sim.AtInput, sim.AtForward, sim.AtOutput} {
		s.Unseen = append(s.Unseen, sim.Unseen{At: at, Text: l.In("a namespace that cannot be looked into")})
	}
	return s
}

// simulated puts what a simulated host says of itself in place of what the lab file said.
func simulated(s, state sim.HostState) sim.HostState {
	for i := range s.NICs {
		c := &s.NICs[i]
		j := slices.IndexFunc(state.NICs, func(o sim.NICState) bool { return o.Name == c.Name })
		if j < 0 {
			j = slices.IndexFunc(state.NICs, func(o sim.NICState) bool { return o.MAC == c.MAC })
		}
		if j < 0 {
			c.Down, c.Addr = true, netip.Prefix{}
			continue
		}
		found := state.NICs[j]
		found.Network, found.Port = c.Network, c.Port
		*c = found
	}
	name, nics := s.Name, s.NICs
	s = state
	s.Name, s.NICs = name, nics
	return s
}

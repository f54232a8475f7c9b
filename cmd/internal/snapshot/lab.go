package snapshot

import (
	"net/netip"
	"time"

	"uswitch/cmd/internal/ask"
	"uswitch/cmd/internal/lab"
	"uswitch/cmd/internal/world"
	"uswitch/sim"
)

// Of returns the lab as it is now. A host whose namespace cannot be looked into is described as the lab file has it.
func Of(w *world.World) *ask.Lab {
	l := &ask.Lab{Now: time.Now(), Gateway: w.Gateway(), Homes: map[string]string{}, Uplink: uplink(w)}
	for _, n := range w.Networks() {
		l.Switches = append(l.Switches, n.Switch)
	}
	for _, h := range w.Hosts() {
		if h.Plan.Mode == lab.ModeShared || h.Plan.Mode == lab.ModeHost {
			l.Homes[h.Plan.Name] = home(w.Plan(), h.Plan)
			continue
		}
		l.Hosts = append(l.Hosts, host(w, h))
	}
	return l
}

// home names the host in whose namespace another one is; empty if that is this machine's.
func home(plan *lab.Plan, h *lab.Host) string {
	if home := plan.Home(h); home != nil && home.Mode != lab.ModeHost {
		return home.Name
	}
	return ""
}

func uplink(w *world.World) ask.Uplink {
	plan := w.Plan()
	u := ask.Uplink{Kind: ask.Kind(plan.Uplink.Kind), AllowHost: plan.AllowHost, Refuses: w.Refuses, NextHop: plan.Uplink.Gateway}
	if u.Kind == ask.Sim {
		u.NextHop = sim.DefaultNextHop
	}
	return u
}

// host describes a host: its cards' cables as the lab has them, all else as it is inside.
func host(w *world.World, h *world.Host) sim.HostState {
	s := sim.HostState{Name: h.Plan.Name}
	in, err := lookInto(w, h)
	for _, c := range h.Cards {
		card := sim.CardState{Name: c.Plan.Name, Network: c.Plan.Network, Port: c.Port.Name(), Addr: c.Plan.Address, MAC: c.Plan.MAC,
			MTU: c.Plan.MTU}
		if _, out := c.Unplugged(); out {
			card.Port = ""
		}
		if err == nil {
			in.fill(&card)
		}
		s.Cards = append(s.Cards, card)
	}
	if err != nil {
		if h.Plan.Gateway.IsValid() {
			s.Routes = []sim.HostRoute{{Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: h.Plan.Gateway, Card: h.Plan.GatewayDev}}
		}
		return s
	}
	s.Routes, s.TCP, s.UDP = in.routes, in.listening(in.tcp), in.listening(in.udp)
	s.NextPort, s.NextEcho = in.nextPort, in.nextEcho
	return s
}

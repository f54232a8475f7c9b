package session

import (
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/world"
	"uswitch/sim"
)

// topology is a plan as the simulator has it.
func topology(p *plan.Plan) (sim.Topology, error) {
	rules, err := world.Rules(p)
	if err != nil {
		return sim.Topology{}, err
	}
	t := sim.Topology{Rules: rules, NoForwarding: !p.IPForward}
	if p.Uplink.Kind != plan.UplinkNone {
		t.Internet = &sim.InternetConfig{}
	}
	for _, n := range p.Networks {
		config := sim.NetworkConfig{Name: n.Name, Subnet: n.Subnet, Gateway: n.Gateway.Addr(),
			GatewayMAC: n.GatewayMAC, MTU: n.MTU, Filtered: !n.ICC, Ageing: world.Ageing(n.AgeingTime), MaxLearned: n.FDBMaxLearned}
		if n.NoAddress {
			config.Gateway = netip.Addr{}
		}
		t.Networks = append(t.Networks, config)
	}
	for _, h := range p.Hosts {
		if h.Mode == plan.ModeShared {
			if home := p.Home(&h); home.Mode != plan.ModeHost {
				continue // there is one simulated host for all of them
			}
			h.Mode = plan.ModeHost
		}
		if h.Mode == plan.ModeHost {
			return sim.Topology{}, fmt.Errorf("%s: network_mode host cannot be simulated: there is no machine around the lab", h.Name)
		}
		config := sim.HostConfig{Name: h.Name, Gateway: h.Gateway, NoGateway: !h.Gateway.IsValid()}
		for _, i := range h.Interfaces {
			knobs := world.Knobs(&i)
			config.Cards = append(config.Cards, sim.CardConfig{Network: i.Network, Addr: i.Address.Addr(), MAC: i.MAC, MTU: i.MTU, Knobs: &knobs})
		}
		t.Hosts = append(t.Hosts, config)
	}
	return t, nil
}

// addStatic enters the stations that the lab file names.
func addStatic(w *sim.World, p *plan.Plan) error {
	for _, n := range p.Networks {
		s, _ := w.Switch(n.Name)
		for _, e := range n.FDB {
			port, ok := s.Port(e.Host)
			if !ok {
				return fmt.Errorf("network %s: %s has no port for the entry %v", n.Name, e.Host, e.MAC)
			}
			if err := s.SetStatic(e.MAC, port, e.Sticky); err != nil {
				return fmt.Errorf("network %s: entry %v: %w", n.Name, e.MAC, err)
			}
		}
	}
	return nil
}

// differences says what of a plan the simulator does in its own way.
func differences(p *plan.Plan) (lines []string) {
	switch p.Uplink.Kind {
	case plan.UplinkHost, plan.UplinkNetns:
		lines = append(lines, fmt.Sprintf("uplink %s: the simulator has an internet of its own instead", p.Uplink.Kind))
	}
	for _, h := range p.Hosts {
		if len(h.Ports) > 0 {
			lines = append(lines, h.Name+": ports are not published: nobody outside of the simulator can come in")
		}
	}
	return lines
}

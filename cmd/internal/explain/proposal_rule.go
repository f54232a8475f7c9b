package explain

import (
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/nat"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// letPass lets the packet through the chain that stopped it: at the chain's end if its policy did, else before all others.
func (t *trial) letPass(s *blocker) (all []proposal) {
	ip, ok := s.event.IPv4()
	if !ok {
		return nil
	}
	chain := chainOf(s.event.Hook)
	prefix := ""
	if s.Rule != nil && s.Rule.Table != "filter" {
		prefix = "-t " + s.Rule.Table + " "
	}
	verbs := []string{"-A", "-I"}
	if s.reason != trace.PolicyDrop {
		verbs = []string{"-I"}
	}
	for _, match := range t.matches(s, ip) {
		for _, verb := range verbs {
			all = append(all, iptables(fmt.Sprintf("%s%s %s %s -j ACCEPT", prefix, verb, chain, match)))
		}
	}
	return all
}

// matches describes a packet as a learner would: by the network that it comes from or goes to, or, from one network to
// another, by both; to a service from outside, by that service. What is left is the packet's very ends.
func (t *trial) matches(s *blocker, ip frame.IPv4) (all []string) {
	src, dst := t.inner(ip.Src()), t.inner(ip.Dst())
	ends := fmt.Sprintf("-s %v -d %v", ip.Src(), ip.Dst())
	service := ""
	if tuple, ok := frame.TupleOf(ip); ok && tuple.HasPorts() && s.Way == api.There {
		service = fmt.Sprintf(" -p %s --dport %d", t.target.Protocol, tuple.DstPort)
	}
	atGateway := s.event.Hook != trace.Forward
	switch {
	case service != "" && dst != nil && src == nil:
		all = append(all, fmt.Sprintf("-d %v%s", ip.Dst(), service))
	case atGateway && s.Way == api.There && src != nil:
		all = append(all, fmt.Sprintf("-s %v", src.Addr().Masked()))
	case atGateway && dst != nil:
		all = append(all, fmt.Sprintf("-d %v", dst.Addr().Masked()))
	case src != nil && dst != nil && s.Way == api.There:
		all = append(all, fmt.Sprintf("-i %s -o %s", src.Name(), dst.Name()))
	case src != nil && dst != nil:
		all = append(all, "-m conntrack --ctstate RELATED,ESTABLISHED")
	case src != nil:
		all = append(all, fmt.Sprintf("-s %v", src.Addr().Masked()))
	case dst != nil:
		all = append(all, fmt.Sprintf("-d %v", dst.Addr().Masked()))
	}
	return append(all, ends)
}

// inner is the gateway's leg on the lab's own network with an address, or nil.
func (t *trial) inner(a netip.Addr) *nat.Interface {
	if leg := t.lab.leg(a); leg != nil && leg != t.lab.uplink() {
		return leg
	}
	return nil
}

// masquerade gives what leaves the lab an address that the outside can answer.
func (t *trial) masquerade(s *blocker) (all []proposal) {
	ip, ok := s.event.IPv4()
	if !ok {
		return nil
	}
	leg := t.inner(ip.Src())
	if leg == nil {
		if owner, _ := t.lab.owner(ip.Dst()); owner != nil {
			return t.giveGateway(owner) // it was for a network that the gateway does not stand on
		}
		return nil
	}
	for _, verb := range []string{"-A", "-I"} {
		all = append(all, iptables(fmt.Sprintf("-t nat %s POSTROUTING -s %v ! -o %s -j MASQUERADE", verb, leg.Addr().Masked(), leg.Name())))
	}
	return all
}

// hairpin makes the answers to a published port of the asker's own network come back through the gateway.
func (t *trial) hairpin(s *blocker) (all []proposal) {
	port, ok := t.translated()
	c := t.reachable(s.host)
	if !ok || c == nil {
		return nil
	}
	for _, verb := range []string{"-A", "-I"} {
		all = append(all, iptables(fmt.Sprintf("-t nat %s POSTROUTING -s %v -d %v -p %s --dport %d -j MASQUERADE", verb,
			c.Addr.Masked(), c.Addr.Addr(), t.target.Protocol, port)))
	}
	return all
}

// allow takes out of a host what forbids an address there: a rule of policy routing, which comes first, or a route. Which of them
// it is shows when each is tried: what was not the cause leaves all as it was.
func (t *trial) allow(s *blocker) (all []proposal) {
	if s.host == nil || !s.addr.IsValid() {
		return nil
	}
	name := s.host.Name
	for _, r := range s.host.Rules {
		if endOf(r.Kind) == s.Reason && (!r.To.IsValid() || r.To.Contains(s.addr)) {
			all = append(all, inside(name, "ip rule del "+r.Text, func(t *trial) {
				h := t.changed(name)
				h.Rules = slices.DeleteFunc(h.Rules, func(o sim.HostRule) bool { return o == r })
			}))
		}
	}
	routes := slices.Concat(s.host.Routes, s.host.Elsewhere)
	slices.SortStableFunc(routes, func(a, b sim.HostRoute) int { return b.Prefix.Bits() - a.Prefix.Bits() })
	for _, r := range routes {
		if !r.Forbids() || !r.Prefix.Contains(s.addr) || endOf(r.Kind) != s.Reason && s.Reason != sim.DropMartian {
			continue
		}
		command := fmt.Sprintf("ip route del %s %s", r.Kind, routeText(r.Prefix))
		if r.Table != 0 {
			command += fmt.Sprintf(" table %d", r.Table)
		}
		all = append(all, inside(name, command, func(t *trial) {
			h := t.changed(name)
			same := func(o sim.HostRoute) bool { return o == r }
			h.Routes, h.Elsewhere = slices.DeleteFunc(h.Routes, same), slices.DeleteFunc(h.Elsewhere, same)
		}))
	}
	return all
}

// endOf is the reason of a packet that a kind of route ends.
func endOf(k sim.RouteKind) string {
	return map[sim.RouteKind]string{sim.Blackhole: sim.DropBlackhole, sim.Unreachable: sim.DropUnreachable, sim.Prohibit: sim.DropProhibit,
		sim.Throw: trace.NoRoute.String()}[k]
}

// changed finds a host in a trial's own state, to be changed: its kernel knows nothing of that.
func (t *trial) changed(name string) *sim.HostState {
	h := t.lab.host(name)
	h.Kernel = nil
	return h
}

package explain

import (
	"fmt"
	"slices"

	"uswitch/sim"
	"uswitch/switch/trace"
)

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

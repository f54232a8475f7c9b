package explain

import (
	"net/netip"
	"slices"
	"strings"

	"uswitch/arp"
	"uswitch/cmd/internal/control/api"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// dropText says what ends a packet inside a host.
func (f *flow) dropText(s *inner) string {
	h := s.Host
	back := s.way == api.Back
	switch s.Drop {
	case trace.NoRoute.String():
		if s.Kind != sim.StepRoute {
			return f.in("%s has no route to %s", h, s.Packet.Dst().String())
		}
		if back {
			return f.in("no route: the answer never leaves %s", h)
		}
		return f.in("no route: the program hears `Network is unreachable`, and nothing leaves %s", h)
	case trace.PortDown.String():
		return f.in("it is down: nothing leaves")
	case trace.PortGone.String():
		return f.in("its cable is out of the switch")
	case sim.DropBlackhole, sim.DropUnreachable, sim.DropProhibit:
		return f.refusalText(s)
	case sim.DropBroadcast:
		return f.in("%v is for everyone or for a group: no program sends there that does not ask for it (ping -b), and nothing leaves %s", s.Addr, h)
	case sim.DropMartian:
		return f.martianText(s)
	case sim.DropNotForward:
		return f.in("it is for %v, and %s is no router: its ip_forward is 0", s.Packet.Dst(), h)
	case sim.DropEcho:
		if s.Packet.Dst().IsMulticast() || f.isBroadcast(s.Packet.Dst()) {
			return f.in("%s does not answer pings to everyone (icmp_echo_ignore_broadcasts)", h)
		}
		return f.in("%s answers no pings: its icmp_echo_ignore_all is 1", h)
	case trace.NoSocket.String():
		return f.in("nobody: the asker is told")
	case trace.TTLExpired.String():
		return f.in("its time to live ran out at %s, which tells its sender", h)
	case trace.FragNeeded.String():
		return f.in("too big for the next link, and its sender forbade cutting it (DF); the sender is told")
	case sim.DropARPOff:
		return f.in("%s has it, and answers no question of ARP: `arp off` at %s", h, s.NIC)
	case sim.DropARPIgnored:
		return f.in("%s has it, and does not answer for it at %s: its arp_ignore or arp_filter forbids", h, s.NIC)
	case trace.PolicyDrop.String():
		return f.in("%s has a firewall of its own whose policy drops everything", h)
	case sim.DropGroup:
		return f.in("%s hears it, if a program listens to that group", h)
	case trace.NeighFailed.String():
		return f.in("%s does not ask who has %v (mcast_solicit is 0)", h, s.Addr)
	}
	return s.Drop
}

// refusalText names the route, or the rule, that forbids.
func (f *flow) refusalText(s *inner) string {
	hears := map[string]string{sim.DropBlackhole: "Invalid argument", sim.DropUnreachable: "No route to host", sim.DropProhibit: "Permission denied"}[s.Drop]
	by := s.Decision.Text
	if by == "" {
		by = f.in("a route or a rule")
	} else {
		by = "`" + by + "`"
	}
	if s.way == api.Back && s.Kind == sim.StepRoute {
		return f.in("%s of %s forbids it: the answer never leaves", by, s.Host)
	}
	if s.Kind != sim.StepRoute {
		return f.in("%s of %s forbids it", by, s.Host)
	}
	return f.in("%s forbids it: the program hears `%s`, and nothing leaves %s", by, hears, s.Host)
}

// martianText says why a host does not believe a packet's source.
func (f *flow) martianText(s *inner) string {
	if s.Packet == nil {
		return f.in("%s does not believe the asker's address", s.Host)
	}
	src := s.Packet.Src()
	if owner, _ := f.lab.owner(src); owner != nil && owner.Name == s.Host {
		return f.in("it comes with %v as its source, which is %s's own: no kernel believes that", src, s.Host)
	}
	return f.in("%s does not believe its source %v: rp_filter wants that its answer would leave by %s, or a route forbids that address", s.Host, src, s.NIC)
}

// isBroadcast reports whether an address is for everyone on one of the lab's networks.
func (f *flow) isBroadcast(a netip.Addr) bool {
	for _, h := range f.lab.Hosts {
		for _, c := range h.NICs {
			if c.Addr.IsValid() && c.Addr.Contains(a) && !c.Addr.Contains(a.Next()) {
				return true
			}
		}
	}
	return a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// wrongNeighbor says what is wrong with the MAC address that a host sends to; empty: nothing is seen.
func (f *flow) wrongNeighbor(s *inner) string {
	if s.Kind != sim.StepNeighbor || s.Drop != "" {
		return ""
	}
	h := f.lab.host(s.Host)
	c := f.nicNamed(h, s.NIC)
	if c == nil {
		return ""
	}
	if c.NoARP {
		return f.in("`arp off` at %s of %s: it asks nobody who has %v, and sends to itself", c.Name, h.Name, s.Addr)
	}
	right := f.macsOf(c.Network, s.Addr)
	if len(right) == 0 || slices.Contains(right, s.MAC) {
		return ""
	}
	whose := f.in("which no interface there has")
	if o := f.ownerOfMAC(c.Network, s.MAC); o != "" {
		whose = f.in("which is %s's", o)
	}
	return f.in("%s's neighbour table says that %v is at %v, %s: %s is at %v", h.Name, s.Addr, s.MAC, whose, f.nameOf(s.Addr), right[0])
}

// macsOf are the MAC addresses of all who have an address on a network.
func (f *flow) macsOf(network string, a netip.Addr) (all []frame.MAC) {
	for _, i := range f.lab.Gateway.Interfaces() {
		if i.Name() == network && i.Addr().Addr() == a {
			all = append(all, i.MAC())
		}
	}
	for i := range f.lab.Hosts {
		h := &f.lab.Hosts[i]
		for j := range h.NICs {
			c := &h.NICs[j]
			if c.Network == network && ownsAddr(h, a) {
				all = append(all, c.MAC)
			}
		}
	}
	return all
}

// ownsAddr reports whether an address is one of a host's.
func ownsAddr(h *sim.HostState, a netip.Addr) bool {
	return slices.Contains(h.Locals, a) || slices.ContainsFunc(h.NICs, func(c sim.NICState) bool {
		return c.Addr.IsValid() && c.Addr.Addr() == a || slices.ContainsFunc(c.More, func(p netip.Prefix) bool { return p.Addr() == a })
	})
}

func (f *flow) nicNamed(h *sim.HostState, name string) *sim.NICState {
	if h == nil {
		return nil
	}
	for i := range h.NICs {
		if h.NICs[i].Name == name {
			return &h.NICs[i]
		}
	}
	return nil
}

// ownerOfMAC names who has a MAC address on a network; empty: nobody.
func (f *flow) ownerOfMAC(network string, m frame.MAC) string {
	var all []string
	for _, i := range f.lab.Gateway.Interfaces() {
		if i.Name() == network && i.MAC() == m {
			all = append(all, f.in("the gateway"))
		}
	}
	for _, h := range f.lab.Hosts {
		for _, c := range h.NICs {
			if c.Network == network && c.MAC == m {
				all = append(all, h.Name)
			}
		}
	}
	return strings.Join(all, f.in(" and "))
}

// unknowns are what is not known of the question's fate, in the order in which it comes up. What can only drop says nothing
// where the question ends anyway.
func (f *flow) unknowns(stop *blocker) (all []string) {
	add := func(text string) {
		if text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	for i := range f.inner {
		s := &f.inner[i]
		if stop == nil || !s.Only {
			add(s.Unknown)
		}
		add(f.outdated(s))
	}
	for _, text := range f.doubles() {
		add(text)
	}
	if machines := f.beyondTunnels(); stop == nil && !f.ok() && len(machines) > 0 {
		add(f.in("what %s does with it is not known here: another machine, or several, at the far end of the tunnel", strings.Join(machines, f.in(" or "))))
	}
	if stop == nil && !f.ok() && f.servedByGateway() {
		add(f.in("the gateway's own service has the question: what it answers is not looked at"))
	}
	// Whoever is asked hears it, the asker too, and answers from an address of its own, which ping takes.
	group := f.target.addr.IsMulticast() || f.isBroadcast(f.target.addr)
	if i := slices.IndexFunc(f.lab.Hosts, func(h sim.HostState) bool { return h.Settings.AnswerBroadcasts }); group && i >= 0 &&
		(stop == nil || stop.Reason != sim.DropBroadcast) {
		add(f.in("%s answers what is for everyone (icmp_echo_ignore_broadcasts is 0): whether it hears this is not looked at", f.lab.Hosts[i].Name))
	}
	return all
}

// outdated is for a neighbour that the kernel will ask anew before long, and find elsewhere.
func (f *flow) outdated(s *inner) string {
	h := f.lab.host(s.Host)
	c := f.nicNamed(h, s.NIC)
	if c == nil || h.Kernel == nil || c.NoARP || f.wrongNeighbor(s) == "" {
		return ""
	}
	for _, n := range c.Neighbors {
		if n.Addr == s.Addr && n.State == arp.Permanent {
			return ""
		}
	}
	return f.in("%s's neighbour table is out of date about %v: when it finds out is not known", h.Name, s.Addr)
}

// doubles are addresses of which more than one has a claim: who is heard depends on the moment.
func (f *flow) doubles() (all []string) {
	answered := map[netip.Addr][]string{}
	note := func(a netip.Addr, who string) {
		if !slices.Contains(answered[a], who) {
			answered[a] = append(answered[a], who)
		}
	}
	for i := range f.inner {
		if s := &f.inner[i]; s.Kind == sim.StepARP && s.Drop == "" {
			note(s.Addr, s.Host+"'s "+s.NIC)
			if f.lab.isGateway(s.Addr) {
				note(s.Addr, f.in("the gateway"))
			}
		}
	}
	for i := range f.inner {
		if who := answered[f.inner[i].Addr]; len(who) > 1 {
			all = append(all, f.in("%s answer for %v: the first one is heard", strings.Join(who, f.in(" and ")), f.inner[i].Addr))
		}
	}
	for i := range f.steps {
		s := &f.steps[i]
		eth, ok := frame.ParseEthernet(s.Frame.Data)
		if s.IP || !ok || s.arp.IsValid() {
			continue
		}
		if who := f.ownerOfMAC(s.Where, eth.Dst()); strings.Contains(who, f.in(" and ")) {
			all = append(all, f.in("%s have the same MAC address %v: the switch takes the one that was heard last", who, eth.Dst()))
		}
	}
	return all
}

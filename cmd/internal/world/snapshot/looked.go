package snapshot

import (
	"net/netip"
	"slices"
	"strconv"

	"uswitch/arp"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// States of a neighbour (NUD_*, linux/neighbour.h).
const (
	nudUsable    = 0x02 | 0x04 | 0x08 | 0x10 // reachable, stale, delay, probe
	nudPermanent = 0x80
)

// looked puts what was found in a namespace in place of what the lab file said.
func looked(s sim.HostState, inside *tap.Inside, in trace.Language) sim.HostState {
	s.Kernel = kernel{inside, s.Name, in}
	used := map[string]bool{}
	for i := range s.NICs {
		if link := nicOf(&s.NICs[i], inside); link != nil {
			used[link.Name] = true
		}
	}
	for _, l := range inside.Links {
		for _, a := range l.Addresses {
			if !used[l.Name] && !a.Addr().IsLoopback() {
				s.Locals = append(s.Locals, a.Addr())
			}
		}
	}
	s.Routes, s.Elsewhere = routesOf(inside)
	s.Policy = beyond(inside, used, in)
	for _, r := range inside.Rules {
		s.Rules = append(s.Rules, sim.HostRule{Kind: sim.RouteKind(r.Type), From: r.From, To: r.To, More: r.More, Text: r.Text})
	}
	s.LoDown = slices.ContainsFunc(inside.Links, func(l tap.Link) bool { return l.Name == "lo" && !l.Up })
	for _, o := range inside.Sockets {
		switch {
		case !o.Peer.IsValid() && o.Addr.IsUnspecified() && o.Dev == "" && !o.Full && o.Proto == frame.ProtoTCP:
			s.TCP = append(s.TCP, o.Port)
		case !o.Peer.IsValid() && o.Addr.IsUnspecified() && o.Dev == "" && o.Proto == frame.ProtoUDP:
			s.UDP = append(s.UDP, o.Port)
		default:
			s.Bound = append(s.Bound, sim.Socket{Proto: o.Proto, Addr: o.Addr, Port: o.Port, NIC: o.Dev, Full: o.Full, Peer: o.Peer})
		}
	}
	slices.Sort(s.TCP)
	slices.Sort(s.UDP)
	s.TCP, s.UDP = slices.Compact(s.TCP), slices.Compact(s.UDP)
	ttl, _ := inside.Sysctl("ip_default_ttl")
	all, _ := inside.Sysctl("icmp_echo_ignore_all")
	broadcasts, known := inside.Sysctl("icmp_echo_ignore_broadcasts")
	s.Settings = sim.Settings{TTL: uint8(ttl), IgnoreEcho: all != 0, AnswerBroadcasts: known && broadcasts == 0}
	for _, u := range inside.Unseen {
		s.Unseen = append(s.Unseen, sim.Unseen{At: sim.Point(u.At), NIC: u.Dev, Text: u.Text, Shown: u.Shown, Only: u.Only, Drops: u.Drops})
	}
	if mask, _ := inside.Sysctl("icmp_ratemask"); mask&1 != 0 {
		s.Unseen = append(s.Unseen, sim.Unseen{At: sim.AtInput, Text: in("a limit on the answers to pings (icmp_ratemask %d)", mask), Only: true})
	}
	return s
}

// nicOf puts what was found about an interface in place of what the lab file said. NICs are known by their name, or, when somebody
// has changed that, by their MAC address; one that is gone is as good as down.
func nicOf(c *sim.NICState, inside *tap.Inside) *tap.Link {
	i := slices.IndexFunc(inside.Links, func(l tap.Link) bool { return l.Name == c.Name })
	if i < 0 {
		i = slices.IndexFunc(inside.Links, func(l tap.Link) bool { return l.MAC == c.MAC })
	}
	c.Addr = netip.Prefix{}
	if i < 0 {
		c.Down = true
		return nil
	}
	l := &inside.Links[i]
	c.Name, c.MAC, c.MTU, c.Down, c.NoARP, c.Taken = l.Name, l.MAC, l.MTU, !l.Up, l.NoARP, l.Master
	if len(l.Addresses) > 0 {
		c.Addr, c.More = l.Addresses[0], l.Addresses[1:]
	}
	for _, n := range inside.Neighbors {
		switch {
		case n.Dev != l.Name:
		case n.Proxy:
			c.Proxied = append(c.Proxied, n.Addr)
		case n.State&nudPermanent != 0:
			c.Neighbors = append(c.Neighbors, arp.Neighbor{Addr: n.Addr, MAC: n.MAC, State: arp.Permanent})
		case n.State&nudUsable != 0: // how long ago it was heard of does not matter: it is good enough to send to
			c.Neighbors = append(c.Neighbors, arp.Neighbor{Addr: n.Addr, MAC: n.MAC, State: arp.Stale})
		}
	}
	of := func(name string) int { n, _ := inside.Sysctl("conf/" + l.Name + "/" + name); return n }
	// The larger one counts, of the device's and of all's (IN_DEV_MAXCONF), or either (IN_DEV_ORCONF).
	either := func(name string) int { n, _ := inside.Sysctl("conf/all/" + name); return max(n, of(name)) }
	c.Forwards, c.RPFilter, c.ARPIgnore = of("forwarding") != 0, either("rp_filter"), either("arp_ignore")
	c.ARPFilter, c.Announce, c.ProxyARP = either("arp_filter"), either("arp_announce"), either("proxy_arp") != 0
	asks, known := inside.Sysctl("neigh/" + l.Name + "/mcast_solicit")
	app, _ := inside.Sysctl("neigh/" + l.Name + "/app_solicit")
	c.NoAsking = known && asks+app == 0
	return l
}

// mainTable is RT_TABLE_MAIN.
const mainTable = 254

// routesOf are the routes of the table main, of several to a prefix the one with the lowest metric. What the other tables and
// the rules do, the kernel says itself.
func routesOf(inside *tap.Inside) (routes, elsewhere []sim.HostRoute) {
	metrics := map[netip.Prefix]int{}
	for _, r := range inside.Routes {
		if r.Table != mainTable && (r.Type == tap.Blackhole || r.Type == tap.Unreachable || r.Type == tap.Prohibit) {
			elsewhere = append(elsewhere, sim.HostRoute{Prefix: r.Prefix, Kind: sim.RouteKind(r.Type), Table: r.Table})
		}
		if before, known := metrics[r.Prefix]; r.Table != mainTable || known && before <= r.Metric {
			continue
		}
		metrics[r.Prefix] = r.Metric
		routes = slices.DeleteFunc(routes, func(o sim.HostRoute) bool { return o.Prefix == r.Prefix })
		routes = append(routes, sim.HostRoute{Prefix: r.Prefix, Via: r.Via, NIC: r.Dev, Kind: sim.RouteKind(r.Type)})
	}
	return routes, elsewhere
}

// beyond names the routes that a simulated host cannot follow; empty: there are none.
func beyond(inside *tap.Inside, nics map[string]bool, in trace.Language) string {
	for _, r := range inside.Routes {
		switch {
		case r.Table != mainTable:
		case r.Hops > 1:
			return in("a route with several next hops")
		case r.Type == tap.Unicast && !nics[r.Dev]:
			return in("a route by %s, which is no interface of the lab's", r.Dev)
		}
	}
	return ""
}

// kernel is a namespace's own kernel, as the one who decides for a host.
type kernel struct {
	inside *tap.Inside
	name   string
	in     trace.Language
}

// Route implements sim.Kernel.
func (k kernel) Route(l sim.Lookup) sim.Decision {
	d, err := k.inside.Route(tap.Flow{Dst: l.Dst, Src: l.Src, In: l.In, Proto: l.Proto, SrcPort: l.SrcPort, DstPort: l.DstPort})
	if err != nil {
		return sim.Decision{Kind: sim.NoRoute, Unknown: k.name + ": " + err.Error()}
	}
	out := sim.Decision{Kind: sim.RouteKind(d.Type), NIC: d.Dev, Via: d.Via, Src: d.Src, MTU: d.MTU, TTL: uint8(d.TTL)}
	out.Prefix, out.Text = k.inside.Matching(d, l.Dst)
	switch {
	case d.Type == tap.ReversePath:
		out.Kind = sim.Blackhole
	case d.Tunnel:
		out.Unknown = k.in("the route of %s wraps the packet into another: not looked at", k.name)
	case d.Type == tap.Blackhole || d.Type == tap.Unreachable || d.Type == tap.Prohibit:
		out.Text = k.forbidding(d.Type, l)
	case k.inside.Several(d, l.Dst):
		out.Unknown = k.in("%s has several next hops for %v: which one is taken depends on the packet", k.name, l.Dst)
	}
	if d.Type == tap.Unicast && d.Table != mainTable && out.Text != "" {
		out.Text += " table " + strconv.Itoa(d.Table)
	}
	return out
}

// forbidding finds the rule, or the route, that forbids an address, to quote it; empty: it cannot be told.
func (k kernel) forbidding(t tap.RouteType, l sim.Lookup) (text string) {
	bits, rules := -1, 0
	for _, r := range k.inside.Rules {
		if r.Type != t || r.To.IsValid() && !r.To.Contains(l.Dst) || r.From.IsValid() && !r.From.Contains(l.Src) {
			continue
		}
		if rules++; rules == 1 && !r.More {
			return "ip rule " + r.Text
		}
	}
	for _, r := range k.inside.Routes {
		if r.Type == t && r.Prefix.Contains(l.Dst) && r.Prefix.Bits() > bits {
			bits, text = r.Prefix.Bits(), r.Text
		}
	}
	if text == "" && l.In == "" && rules > 0 {
		text = k.in("one of its rules of `ip rule`")
	}
	return text
}

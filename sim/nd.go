package sim

import (
	"net/netip"
	"slices"
	"time"

	"uswitch/arp"
	"uswitch/arp/nd"
	"uswitch/switch/frame"
)

// room is what stands in front of a packet of IPv6 that an interface writes itself.
func (*inet6) room() []byte { return make([]byte, frame.EthernetHeader, 128) }

// send puts a packet to a group, behind room for its Ethernet header, onto the wire.
func (s *inet6) send(b []byte) {
	s.sendTo(b, frame.GroupMAC(frame.IP(b[frame.EthernetHeader:]).Dst()))
}

func (s *inet6) sendTo(b []byte, to frame.MAC) {
	if s.nic.host.pass(AtEgress, s.nic.name, b[frame.EthernetHeader:], frame.IP(b[frame.EthernetHeader:]).Dst()) {
		s.nic.sendTo(b, to)
	}
}

// groups are those that the interface hears and tells of (RFC 4291 2.8): of all nodes nobody has to be told.
func (s *inet6) groups() (all []netip.Addr) {
	for _, a := range s.addrs {
		if g := frame.SolicitedNode(a.Addr()); !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
}

// report tells routers, and switches that listen, which groups the interface hears (RFC 3810).
func (s *inet6) report(kind uint8, groups ...netip.Addr) {
	src := s.linkLocal()
	if !src.IsValid() {
		src = netip.IPv6Unspecified()
	}
	if len(groups) > 0 {
		s.send(frame.AppendMLDReport(s.room(), src, kind, groups))
	}
}

// hears reports whether a packet's destination is the interface's to look at: the filter of a real one lets no other group through.
func (s *inet6) hears(dst netip.Addr) bool {
	return !dst.IsMulticast() || dst == frame.AllNodes || s.nic.forwards && dst == frame.AllRouters || slices.Contains(s.groups(), dst)
}

// input6 takes a frame with a packet of IPv6.
func (c *NIC) input6(e frame.Ethernet) {
	ip, ok := parse(e.Payload())
	if !ok || c.six == nil || !c.six.hears(ip.Dst()) {
		return
	}
	if !ip.IsLinkSignal() || c.taken != "" {
		c.host.arrive(c, e.Payload(), e.Dst().IsGroup())
		return
	}
	if !ip.ICMPChecksumOK() {
		return
	}
	if ip.Payload()[0] == frame.ICMPv6MLDQuery {
		c.six.after(c.six.random(maxProbeDelay), nil, func() { c.six.report(frame.MLDHears, c.six.groups()...) })
		return
	}
	if m, problem := frame.ParseND(frame.IPv6(ip)); problem == 0 {
		c.inputND(m, e.Src())
	}
}

// inputND does what the messages ask for by which the stations of a link find each other (RFC 4861 7.2).
func (c *NIC) inputND(m frame.ND, src frame.MAC) {
	switch {
	case m.Type == frame.ICMPv6RouterAdvert:
		c.six.advertised(m, src)
		return
	case m.Type == frame.ICMPv6RouterSolicit, c.six.contested(m):
		return
	}
	out := nd.Input(c.neighbors, m, src, c.own(), c.time.Now())
	if out.Case == arp.Asked || out.Case == arp.Probed {
		c.host.tell(Step{Kind: StepARP, NIC: c.name, Addr: m.Target, MAC: c.self.MAC})
	}
	switch out.Case {
	case arp.Asked:
		c.six.advertise(m.Target, m.Src, src)
	case arp.Probed:
		c.six.advertise(m.Target, frame.AllNodes, frame.GroupMAC(frame.AllNodes))
	}
	c.release(out.Held, src)
}

// release sends what has waited for a neighbour.
func (c *NIC) release(held [][]byte, to frame.MAC) {
	for _, b := range held {
		c.sendTo(b, to)
	}
}

// own is the interface with all its addresses.
func (c *NIC) own() arp.Self {
	self := c.self
	if c.six != nil {
		for _, a := range c.six.addrs {
			if a.State != Duplicate {
				self.V6 = append(self.V6, a.Prefix)
			}
		}
	}
	return self
}

// contested looks whether a message is about an address that the interface does not use yet: somebody has it, or wants it too
// (RFC 4862 5.4.3). One about an address that is not used is not answered.
func (s *inet6) contested(m frame.ND) bool {
	i := slices.IndexFunc(s.addrs, func(a *Addr6) bool { return a.State != Assigned && a.Addr() == m.Target })
	if i < 0 {
		return false
	}
	if a := s.addrs[i]; a.State == Tentative && (m.IsDAD() || m.Type == frame.ICMPv6Advert) {
		s.taken(a)
	}
	return true
}

// advertise says where an address is, to who has asked or to all.
func (s *inet6) advertise(target, to netip.Addr, mac frame.MAC) {
	a := frame.NeighborAdvert{Src: target, Dst: to, Target: target, MAC: s.nic.self.MAC, Router: s.nic.forwards, Override: true,
		Solicited: !to.IsMulticast()}
	s.sendTo(frame.AppendNeighborAdvert(s.room(), a), mac)
}

// announce tells all of a link where the interface's addresses are (RFC 4861 7.2.6).
func (s *inet6) announce() {
	for _, a := range s.addrs {
		if a.State == Assigned {
			s.advertise(a.Addr(), frame.AllNodes, frame.GroupMAC(frame.AllNodes))
		}
	}
}

// solicit asks for a neighbour: its group, or the station where it was last; for a packet from src, which may be invalid.
func (s *inet6) solicit(to frame.MAC, a, src netip.Addr) {
	if s == nil {
		return
	}
	if !s.has(src) {
		self := s.nic.own()
		own, _ := self.For(a)
		src = own.Addr()
	}
	if !s.has(src) {
		return // it has no address yet that it could be told at
	}
	b := frame.AppendNeighborSolicit(s.room(), src, a, s.nic.self.MAC, to != frame.Broadcast)
	if to == frame.Broadcast {
		to = frame.GroupMAC(frame.SolicitedNode(a))
	}
	s.sendTo(b, to)
}

// advertised does what a router's advertisement says (RFC 4861 6.3.4).
func (s *inet6) advertised(m frame.ND, mac frame.MAC) {
	if !s.adverts || s.nic.forwards {
		return
	}
	now, a := s.nic.time.Now(), m.Advert
	s.solicits = maxSolicits
	if (m.SourceMAC != frame.MAC{} && m.SourceMAC == mac) {
		_, held := s.nic.neighbors.Met(m.Src, mac, now)
		s.nic.neighbors.Advertised(m.Src, arp.Advert{MAC: mac, Router: true}, now)
		s.nic.release(held, mac)
	}
	if a.HopLimit != 0 {
		s.hopLimit = a.HopLimit
	}
	if mtu := int(a.MTU); mtu >= frame.IPv6MinMTU && mtu <= s.nic.mtu {
		s.mtu = mtu
	}
	switch {
	case a.Lifetime > 0:
		s.route(everything6, m.Src, now.Add(a.Lifetime))
	case s.router == m.Src:
		s.withdraw(everything6)
	}
	for _, p := range a.Prefixes {
		if p.OnLink && !p.Prefix.Addr().IsLinkLocalUnicast() {
			s.onLink(p, now)
		}
		if p.Autonomous && p.Preferred <= p.Valid && p.Prefix.Bits() == 64 && !p.Prefix.Addr().IsLinkLocalUnicast() {
			s.autonomous(p, now)
		}
	}
}

var everything6 = netip.MustParsePrefix("::/0")

// route enters a route until some time. One that is there already stays; where that is a default route, the router is remembered
// beside it.
func (s *inet6) route(p netip.Prefix, via netip.Addr, until time.Time) {
	if p == everything6 {
		s.router = via
	}
	_, ours := s.until[p]
	if !s.nic.host.routed(p) {
		s.nic.host.enter(p, via, s.nic)
	} else if !ours && p != everything6 {
		return
	}
	s.until[p] = until
}

// withdraw takes a route away that an advertisement has made.
func (s *inet6) withdraw(p netip.Prefix) {
	via := netip.Addr{}
	if p == everything6 {
		via, s.router = s.router, via
	}
	if _, ours := s.until[p]; !ours {
		return
	}
	delete(s.until, p)
	if r, ok := s.nic.host.routes.Lookup(p.Addr()); ok && r.Prefix == p && r.Via == via {
		s.nic.host.DeleteRoute(p)
	}
}

// onLink enters the route to a network of the link.
func (s *inet6) onLink(p frame.AdvertPrefix, now time.Time) {
	if p.Valid == 0 {
		s.withdraw(p.Prefix)
		return
	}
	s.route(p.Prefix, netip.Addr{}, lasting(now, p.Valid))
}

// lasting is when a lifetime ends; zero: never.
func lasting(now time.Time, d time.Duration) time.Time {
	if d == frame.NDInfinite {
		return time.Time{}
	}
	return now.Add(d)
}

// twoHours is the least to which an advertisement can shorten an address's life (RFC 4862 5.5.3).
const twoHours = 2 * time.Hour

// autonomous makes the interface an address in a network of the link, or lets the one that it has live longer.
func (s *inet6) autonomous(p frame.AdvertPrefix, now time.Time) {
	for _, a := range s.addrs {
		if !a.Dynamic || a.Masked() != p.Prefix {
			continue
		}
		a.Preferred = lasting(now, p.Preferred)
		left := a.Valid.Sub(now)
		switch {
		case p.Valid > twoHours || !a.Valid.IsZero() && p.Valid > left:
			a.Valid = lasting(now, p.Valid)
		case a.Valid.IsZero() || left > twoHours:
			a.Valid = now.Add(twoHours)
		}
		return
	}
	if p.Valid > 0 {
		s.add(&Addr6{Prefix: netip.PrefixFrom(s.identify(p.Prefix, 0), 64), Dynamic: true, Stable: s.stable != nil,
			Valid: lasting(now, p.Valid), Preferred: lasting(now, p.Preferred)})
	}
}

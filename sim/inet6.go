package sim

import (
	"net/netip"
	"slices"
	"time"

	"uswitch/arp"
	"uswitch/nat/route"
	"uswitch/switch/frame"
)

// AddrState says whether a host may use an address of IPv6 (RFC 4862 2).
type AddrState uint8

// The states. The zero value is an address that is used.
const (
	Assigned  AddrState = iota
	Tentative           // nobody may use it yet: the link is asked whether somebody has it
	Duplicate           // somebody has
)

// Addr6 is an address of IPv6 on an interface, with its network's length.
type Addr6 struct {
	netip.Prefix
	State     AddrState
	NoDAD     bool      // it was given with the word that nobody else has it
	Dynamic   bool      // the host has made it of what a router advertises
	Stable    bool      // its lower half is drawn (RFC 7217)
	Valid     time.Time // when it goes; zero: never
	Preferred time.Time // until when it is chosen as a source; zero: for ever
	draws     int       // how many others of its kind somebody else had
}

// inet6 is an interface's IPv6. It belongs to its host's goroutine; nil is an interface without.
type inet6 struct {
	nic      *NIC
	addrs    []*Addr6 // the link-local one first
	stable   *secret  // what the identifiers of its addresses are made of; nil: of the hardware address
	run      int      // how often the interface came up: what was begun in another run is over
	adverts  bool     // it takes what routers advertise
	solicits int      // questions for routers so far, since the interface came up
	router   netip.Addr
	until    map[netip.Prefix]time.Time // when routes go that an advertisement has made
	hopLimit uint8                      // that a router advertises; 0: none does
	mtu      int                        // the same of how much the link carries, in bytes
}

// EnableIPv6 has the interface speak IPv6: with addresses that it has at once, as Docker gives them, and one of the link's; with
// adverts also with those that it makes of what routers advertise.
func (c *NIC) EnableIPv6(addrs []netip.Prefix, adverts bool) {
	c.six = &inet6{nic: c, adverts: adverts}
	c.six.start()
	for _, a := range addrs {
		c.six.add(&Addr6{Prefix: a, NoDAD: true})
	}
}

// restore6 has the interface speak IPv6 with the addresses that another one has.
func (c *NIC) restore6(addrs []Addr6) {
	c.six = &inet6{nic: c, until: map[netip.Prefix]time.Time{}}
	for _, a := range addrs {
		c.six.addrs = append(c.six.addrs, &a)
	}
}

// Addrs6 lists the interface's addresses of IPv6.
func (c *NIC) Addrs6() (all []Addr6) {
	if c.six == nil {
		return nil
	}
	c.six.expire()
	for _, a := range c.six.addrs {
		all = append(all, *a)
	}
	return all
}

// start begins a run: the interface is up, and gives itself the address that is on every link. A link that is too narrow has no IPv6.
func (s *inet6) start() {
	s.run++
	s.solicits, s.until, s.router, s.hopLimit, s.mtu = 0, map[netip.Prefix]time.Time{}, netip.Addr{}, 0, 0
	if s.nic.Up() && s.nic.mtu >= frame.IPv6MinMTU {
		s.add(&Addr6{Prefix: netip.PrefixFrom(s.identify(frame.LinkLocal, 0), 64), Stable: s.stable != nil})
	}
}

// stop ends a run. All addresses go, as in Linux, those that were given too.
func (s *inet6) stop() {
	s.run++
	s.addrs = nil
}

// after does something later, unless the interface went down meanwhile or the address is gone.
func (s *inet6) after(d time.Duration, a *Addr6, f func()) {
	run := s.run
	s.nic.time.After(d, func() {
		if s.run == run && (a == nil || slices.Contains(s.addrs, a)) {
			f()
		}
	})
}

// add gives the interface an address, once the link was asked for it.
func (s *inet6) add(a *Addr6) {
	if !s.nic.Up() || s.nic.mtu < frame.IPv6MinMTU {
		return
	}
	s.addrs = append(s.addrs, a)
	s.report(frame.MLDJoins, frame.SolicitedNode(a.Addr()))
	if a.NoDAD {
		s.assign(a)
		return
	}
	a.State = Tentative
	s.after(s.random(maxProbeDelay), a, func() { s.probe(a) })
}

// Times of duplicate address detection and of the search for routers (RFC 4861 10, RFC 4862 5.4.2).
const (
	maxProbeDelay = time.Second
	solicitPause  = 4 * time.Second
	maxSolicits   = 3
)

func (s *inet6) random(below time.Duration) time.Duration {
	return time.Duration(s.nic.host.random.Int64N(int64(below)))
}

// probe asks whether anybody has a tentative address; nobody who answers within a second has (RFC 4862 5.4).
func (s *inet6) probe(a *Addr6) {
	s.send(frame.AppendNeighborSolicit(s.room(), netip.IPv6Unspecified(), a.Addr(), s.nic.self.MAC, false))
	s.after(arp.RetransTime, a, func() {
		if a.State == Tentative {
			s.assign(a)
		}
	})
}

// taken notes that somebody else has a tentative address. One whose identifier is drawn is drawn again (RFC 7217 6).
func (s *inet6) taken(a *Addr6) {
	a.State = Duplicate
	if s.stable == nil || a.draws >= maxDraws || !a.Dynamic && !a.Addr().IsLinkLocalUnicast() {
		return
	}
	again := *a
	again.draws++
	again.Prefix = netip.PrefixFrom(s.identify(a.Masked(), again.draws), 64)
	s.addrs = slices.DeleteFunc(s.addrs, func(o *Addr6) bool { return o == a })
	s.add(&again)
}

// assign lets the host use an address from now on. With the link-local one it looks for routers.
func (s *inet6) assign(a *Addr6) {
	a.State = Assigned
	if !a.Addr().IsLinkLocalUnicast() {
		s.nic.host.enter(a.Masked(), netip.Addr{}, s.nic)
		return
	}
	s.report(frame.MLDJoins, s.groups()...) // whose reporter has a name now
	if s.adverts {
		s.solicitRouter()
	}
}

// solicitRouter asks for a router, until one has answered or three questions were in vain (RFC 4861 6.3.7).
func (s *inet6) solicitRouter() {
	if s.solicits >= maxSolicits {
		return
	}
	s.solicits++
	s.send(frame.AppendRouterSolicit(s.room(), s.linkLocal(), s.nic.self.MAC))
	s.after(solicitPause, nil, s.solicitRouter)
}

// linkLocal returns the address that is on every link; the invalid Addr while it may not be used.
func (s *inet6) linkLocal() netip.Addr {
	for _, a := range s.addrs {
		if a.State == Assigned && a.Addr().IsLinkLocalUnicast() {
			return a.Addr()
		}
	}
	return netip.Addr{}
}

// has reports whether an address is one that the interface uses.
func (s *inet6) has(a netip.Addr) bool {
	return s != nil && slices.ContainsFunc(s.addrs, func(o *Addr6) bool { return o.State == Assigned && o.Addr() == a })
}

// expire takes away what was advertised for a time that is over.
func (s *inet6) expire() {
	now := s.nic.time.Now()
	s.addrs = slices.DeleteFunc(s.addrs, func(a *Addr6) bool { return !a.Valid.IsZero() && !now.Before(a.Valid) })
	for p, until := range s.until {
		if !until.IsZero() && !now.Before(until) {
			s.withdraw(p)
		}
	}
}

// Advertised returns until when a route stays that an advertisement has made; ok is false of any other route. Zero: for ever.
func (c *NIC) Advertised(r route.Route[*NIC]) (until time.Time, ok bool) {
	if c.six == nil || r.Via.IsValid() && r.Via != c.six.router {
		return until, false
	}
	until, ok = c.six.until[r.Prefix]
	return until, ok
}

// Router returns the router whose advertisement leads to everywhere, and until when, where another default route is in the table.
func (c *NIC) Router() (via netip.Addr, until time.Time, beside bool) {
	if c.six == nil || !c.six.router.IsValid() {
		return via, until, false
	}
	r, ok := c.host.routes.Lookup(netip.IPv6Unspecified())
	return c.six.router, c.six.until[everything6], !ok || r.Via != c.six.router
}

// HopLimit returns how far packets of IPv6 go that leave by the interface, as a router advertises it; 0: none does.
func (c *NIC) HopLimit() uint8 {
	if c.six == nil {
		return 0
	}
	return c.six.hopLimit
}

package vswitch

import (
	"net/netip"
	"sync"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Bounds of the table of claims.
const (
	claimsEach = 256   // addresses remembered of one port, so that no host fills the table with made-up ones
	maxClaims  = 65536 // in all
	claimsTold = 10    // conflicts about one address that the trace hears of in a second
)

// claims remembers who said last, by ARP or neighbour discovery, that an address is his. A second port that says so with another MAC is a
// conflict, as arpwatch reports it: two hosts have one address by mistake, one pretends to be the other, or the address was
// given to another host. A switch cannot know which, and forwards the frame as the Linux bridge does.
type claims struct {
	mu        sync.Mutex // guards what follows
	of        map[netip.Addr]*claim
	held      map[*Port]int // how many of a port
	conflicts uint64
	last      Conflict
}

// claim is who has an address: port is nil for the local station.
type claim struct {
	mac        frame.MAC
	port       *Port
	heard      time.Duration // age of the switch
	assigned   bool          // whatever others say
	told       bucket
	suppressed uint32 // since the last conflict that was told of
}

// claimed notes who a frame that came from p, nil for the local station, says has an address, and tells of a conflict. The
// address is assigned to another port if it reports so.
func (s *Switch) claimed(addr netip.Addr, mac frame.MAC, p *Port, f frame.Frame, j *trace.Journey, now time.Time) (others bool) {
	if !addr.IsValid() || addr.IsUnspecified() || !mac.IsStation() {
		return false
	}
	c, suppressed, told, others := s.claims.note(addr, mac, p, s.age(now))
	if told && j.On() {
		j.Emit(trace.Event{Hook: trace.Learn, Verdict: trace.Accept, Note: trace.AddressConflict, Where: s.name,
			Port: c.Port, MAC: c.MAC, From: c.From, Other: c.Other, Addr: addr, Age: c.Age, Count: suppressed, Frame: f})
	}
	return others
}

// Assign makes addresses those of the host behind a port, and of nobody else, until the port goes: see PortFlags.NDGuard.
func (s *Switch) Assign(p *Port, mac frame.MAC, addrs ...netip.Addr) {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	for _, addr := range addrs {
		if one := s.claims.of[addr]; one != nil {
			s.claims.held[one.port]--
			delete(s.claims.of, addr)
		}
		s.claims.enter(addr, mac, p, 0)
		if one := s.claims.of[addr]; one != nil {
			one.assigned = true
		}
	}
}

// Conflict is a claim to an address that another port's host has claimed before. The local station's port is "gateway".
type Conflict struct {
	Addr  netip.Addr
	Port  string        // who claims it now,
	MAC   frame.MAC     // at which MAC
	From  string        // who claimed it before,
	Other frame.MAC     // at which MAC,
	Age   time.Duration // and how long before
}

// note makes mac, behind p, the one who has the address, unless that is assigned to others, and says whether that is a conflict
// and to be told of: which, and how many before it were not.
func (c *claims) note(addr netip.Addr, mac frame.MAC, p *Port, now time.Duration) (found Conflict, suppressed uint32, told, others bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.of[addr]
	switch {
	case one == nil:
		c.enter(addr, mac, p, now)
		return found, 0, false, false
	case one.port == p:
		one.mac, one.heard = mac, now // a host may have another MAC from now on
		return found, 0, false, false
	case one.mac == mac: // the station moved, which the forwarding table tells, or somebody repeats what it said
		return found, 0, false, one.assigned
	}
	c.conflicts++
	c.last = Conflict{Addr: addr, Port: p.nameOr("gateway"), MAC: mac, From: one.port.nameOr("gateway"), Other: one.mac, Age: now - one.heard}
	found = c.last
	if told = one.told.take(claimsTold, now); told {
		suppressed, one.suppressed = one.suppressed, 0
	} else {
		one.suppressed++
	}
	if !one.assigned && (p == nil || !p.gone.Load() && c.held[p] < claimsEach) {
		c.held[one.port]--
		c.held[p]++
		one.mac, one.port, one.heard = mac, p, now
	}
	return found, suppressed, told, one.assigned
}

// enter notes an address of which nothing is known, if there is room. It needs the lock.
func (c *claims) enter(addr netip.Addr, mac frame.MAC, p *Port, now time.Duration) {
	if p != nil && (p.gone.Load() || c.held[p] >= claimsEach || len(c.of) >= maxClaims) {
		return
	}
	if c.of == nil {
		c.of, c.held = map[netip.Addr]*claim{}, map[*Port]int{}
	}
	c.of[addr] = &claim{mac: mac, port: p, heard: now}
	c.held[p]++
}

// dropPort forgets what a port that goes has claimed: whoever comes after it may have its addresses.
func (c *claims) dropPort(p *Port) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for addr, one := range c.of {
		if one.port == p {
			delete(c.of, addr)
		}
	}
	delete(c.held, p)
}

// fork copies the table for ports that stand for the same; claims of others stay behind.
func (c *claims) fork(f *claims, twins map[*Port]*Port) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.of, f.held = map[netip.Addr]*claim{}, map[*Port]int{}
	for addr, one := range c.of {
		twin := twins[one.port]
		if twin == nil && one.port != nil {
			continue
		}
		f.of[addr] = &claim{mac: one.mac, port: twin, heard: one.heard, assigned: one.assigned}
		f.held[twin]++
	}
}

// Conflicts returns how often an address was claimed behind one port that another, with another MAC, had claimed before, and
// the last time.
func (s *Switch) Conflicts() (n uint64, last Conflict) {
	s.claims.mu.Lock()
	defer s.claims.mu.Unlock()
	return s.claims.conflicts, s.claims.last
}

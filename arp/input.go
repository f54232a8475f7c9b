package arp

import (
	"net/netip"
	"slices"
	"time"

	"uswitch/switch/frame"
)

// Self is the station that the table belongs to: its addresses on this network.
type Self struct {
	MAC  frame.MAC
	Addr netip.Prefix   // the address and the network's prefix
	More []netip.Prefix // further ones (Linux's secondary addresses)
	V6   []netip.Prefix // those of IPv6, the link-local one first; none: the station has no IPv6 there
}

// Has reports whether an address is one of the station's own.
func (s *Self) Has(a netip.Addr) bool {
	is := func(p netip.Prefix) bool { return p.Addr() == a }
	return a == s.Addr.Addr() || slices.ContainsFunc(s.More, is) || slices.ContainsFunc(s.V6, is)
}

// For returns the address, with its prefix, in whose network a neighbour is; where it is in none the first of its family,
// of IPv6 the last, which is not link-local if there is another.
func (s *Self) For(neighbor netip.Addr) (own netip.Prefix, ok bool) {
	first, more := s.Addr, s.More
	if neighbor.Is6() {
		if len(s.V6) == 0 {
			return netip.Prefix{}, false
		}
		first, more = s.V6[len(s.V6)-1], s.V6
	}
	if first.Contains(neighbor) {
		return first, true
	}
	for _, p := range more {
		if p.Contains(neighbor) {
			return p, true
		}
	}
	return first, false
}

// Case is what an ARP packet turned out to be.
type Case uint8

// The cases. The zero value is invalid.
const (
	Bad         Case = iota + 1 // malformed, or an operation that is neither question nor answer
	Disguised                   // its sender cannot be who it says
	Foreign                     // a question for Self by somebody of another network, whom an answer would not help
	Echoed                      // Self's own packet, come back: there is a loop
	NotMine                     // a question for somebody else
	Asked                       // a question for Self: the caller answers with a reply
	Probed                      // a probe for Self's address: answered, so that the asker does not take it (RFC 5227 2.1.1)
	Told                        // an answer, or an announcement, of a neighbour in the table
	Unsolicited                 // the same of a station that nobody asked for: not believed
	Conflict                    // somebody else claims Self's address
)

// Outcome of an ARP packet.
type Outcome[P any] struct {
	Case    Case
	Learned bool // the sender's address is new in the table, or has changed
	Defend  bool // Conflict only: announce the own address now (RFC 5227 2.4, at most once in DefendInterval)
	Held    []P  // packets that waited for the sender; they can go now
}

// Input does what RFC 826 says of packet reception, and then what later RFCs added in distrust: the sender is merged if
// it is known already, added if the question is for Self, and the operation is looked at last. src is the source address
// of the Ethernet frame; b starts at the ARP packet and may be padded.
func (c *Cache[P]) Input(b []byte, src frame.MAC, self Self, now time.Time) Outcome[P] {
	a, ok := frame.ParseARP(b)
	if !ok || a.Op() != frame.ARPRequest && a.Op() != frame.ARPReply {
		return Outcome[P]{Case: Bad}
	}
	sender, mac, mine := a.SenderIP(), a.SenderMAC(), self.Has(a.TargetIP())
	own, near := self.For(sender)
	switch {
	case !mac.IsStation() || mac != src:
		return Outcome[P]{Case: Disguised} // RFC 1812 3.3.2: never believe a group address
	case self.Has(sender):
		return c.conflict(mac, self, now)
	case a.IsProbe() && mine:
		return Outcome[P]{Case: Probed}
	case a.IsProbe():
		return Outcome[P]{Case: NotMine}
	case !plausible(sender, own):
		return Outcome[P]{Case: Disguised}
	case mine && a.Op() == frame.ARPRequest && !near:
		return Outcome[P]{Case: Foreign} // as Linux with rp_filter, whose arp_process asks for the route back
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	out := Outcome[P]{Case: NotMine}
	e, known := c.entries[sender]
	switch {
	case mine && a.Op() == frame.ARPRequest:
		out.Case = Asked
		if !known && c.room(now) {
			e, known = &entry[P]{state: Failed}, true
			c.entries[sender] = e
		}
	case known && (a.Op() == frame.ARPReply || a.IsAnnouncement()):
		out.Case = Told
	case a.Op() == frame.ARPReply || a.IsAnnouncement():
		out.Case = Unsolicited
	}
	if known && e.state != Permanent {
		// Only an answer to a question of ours proves that the neighbour can hear us (RFC 4861 7.3.1 says it best).
		confirmed := mine && a.Op() == frame.ARPReply && e.probes > 0
		out.Learned, out.Held = e.merge(mac, confirmed, now), c.release(e)
	}
	return out
}

// merge notes the address that a neighbour has told.
func (e *entry[P]) merge(mac frame.MAC, confirmed bool, now time.Time) (changed bool) {
	changed = e.mac != mac
	if confirmed {
		e.state, e.probes = Reachable, 0
	} else if changed || e.state == Incomplete || e.state == Failed {
		e.state = Stale
	}
	if confirmed || changed {
		e.updated = now
	}
	e.mac = mac
	return changed
}

// conflict handles somebody who claims the station's own address.
func (c *Cache[P]) conflict(mac frame.MAC, self Self, now time.Time) Outcome[P] {
	if mac == self.MAC {
		return Outcome[P]{Case: Echoed}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	defend := c.defended.IsZero() || now.Sub(c.defended) >= DefendInterval
	if defend {
		c.defended = now
	}
	return Outcome[P]{Case: Conflict, Defend: defend}
}

// plausible reports whether any station can have the address (RFC 1812 3.3.2 and 4.2.2.11): not loopback, not a group, not
// nobody's, not one for everyone on the network. Stations of a second network may share the wire.
func plausible(a netip.Addr, network netip.Prefix) bool {
	if a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() || a == everyone {
		return false
	}
	return a != frame.BroadcastOf(network) && (network.Bits() >= 31 || a != network.Masked().Addr())
}

// everyone is the limited broadcast address (RFC 919 7).
var everyone = netip.AddrFrom4([4]byte{255, 255, 255, 255})

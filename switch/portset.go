package vswitch

import (
	"fmt"
	"slices"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// class of a frame that goes to many: each has its own flag.
type class int

const (
	unknownUnicast class = iota
	multicast
	broadcast
	classes
)

// portSet is an immutable picture of who is plugged in and who takes flooded frames. Every change makes a new one, so a
// frame on its way meets one consistent set and no lock.
type portSet struct {
	everyone floodSet
	// flooded are those who get each class, for a frame from an ordinary port and from an isolated one. The sender may be
	// among them. Where that is everyone, it is the very list of everyone.
	flooded [classes][2]*floodSet
}

// floodSet is ports in the order in which they came.
type floodSet struct {
	ports []*Port
	names []string // of the same ports, for the trace
}

func newPortSet(all []*Port) *portSet {
	set := &portSet{}
	for c := range set.flooded {
		set.flooded[c] = [2]*floodSet{&set.everyone, &set.everyone}
	}
	for _, p := range all {
		set = set.with(p)
	}
	return set
}

// with returns the set and one port more. The lists of the new set go on where those of this one end, in the same memory if
// there is room: so a switch of many ports is not copied for each of them. It is only for the latest set, and once.
func (set *portSet) with(p *Port) *portSet {
	next := &portSet{everyone: set.everyone.with(p)}
	k := p.flags.Load()
	for c, takes := range [classes]bool{unknownUnicast: k.Flood, multicast: k.MulticastFlood, broadcast: k.BroadcastFlood} {
		next.flooded[c][0] = set.extend(set.flooded[c][0], next, p, takes)
		next.flooded[c][1] = set.extend(set.flooded[c][1], next, p, takes && !k.Isolated)
	}
	return next
}

// extend returns what a list of this set becomes in the next one, which has p besides.
func (set *portSet) extend(list *floodSet, next *portSet, p *Port, takes bool) *floodSet {
	switch {
	case !takes && list == &set.everyone: // no longer everyone: a list of its own, in memory of its own when it grows
		return &floodSet{ports: slices.Clip(list.ports), names: slices.Clip(list.names)}
	case !takes:
		return list
	case list == &set.everyone:
		return &next.everyone
	}
	longer := list.with(p)
	return &longer
}

func (t *floodSet) with(p *Port) floodSet {
	return floodSet{ports: append(t.ports, p), names: append(t.names, p.name)}
}

// without returns the set less one port.
func (set *portSet) without(p *Port) *portSet {
	next := &portSet{everyone: *set.everyone.without(p)}
	for c := range set.flooded {
		for i, list := range set.flooded[c] {
			if next.flooded[c][i] = &next.everyone; list != &set.everyone {
				next.flooded[c][i] = list.without(p)
			}
		}
	}
	return next
}

func (t *floodSet) without(p *Port) *floodSet {
	i := slices.Index(t.ports, p)
	if i < 0 {
		return t
	}
	return &floodSet{ports: slices.Concat(t.ports[:i], t.ports[i+1:]), names: slices.Concat(t.names[:i], t.names[i+1:])}
}

// flood returns who takes a frame of a class that came from p, p itself perhaps included; p is nil for the local station.
// What that one says to all or to a group reaches every port, as in the Linux bridge (br_flood): its ARP is among it.
func (set *portSet) flood(c class, p *Port) *floodSet {
	switch {
	case p == nil && c != unknownUnicast:
		return &set.everyone
	case p != nil && p.flags.Load().Isolated:
		return set.flooded[c][1]
	}
	return set.flooded[c][0]
}

// Empty reports whether no port is there to take what the local station sends.
func (s *Switch) Empty() bool { return s.ports.Load().everyone.others(nil) == 0 }

// nobody says why flood found no taker besides p.
func (set *portSet) nobody(c class, p *Port) trace.Reason {
	switch {
	case set.everyone.others(p) == 0:
		return trace.NoOtherPort
	case set.flooded[c][0].others(p) > 0:
		return trace.Isolated
	}
	return trace.NoFlood
}

// others returns how many ports there are besides p.
func (t *floodSet) others(p *Port) int {
	n := len(t.ports)
	for _, q := range t.ports {
		if q == p {
			n--
		}
	}
	return n
}

// Filter has a say in what a switch carries from port to port, as iptables has in Linux where br_netfilter is loaded and a
// bridge's nf_call_iptables is set. What the local station sends or receives is not shown to it: that passes the station's
// own rules.
type Filter interface {
	// Bridged reports whether a frame may go on to other ports, and has told the journey if it may not. It borrows both
	// until it returns, and does not change the frame.
	Bridged(f frame.Frame, j *trace.Journey, now time.Time) bool
}

// SetFilter puts a filter in place of the one before; nil takes it away, which is how a switch begins.
func (s *Switch) SetFilter(f Filter) {
	if f == nil {
		s.filter.Store(nil)
		return
	}
	s.filter.Store(&f)
}

// Filtered reports whether the switch has a filter.
func (s *Switch) Filtered() bool { return s.filter.Load() != nil }

// bridged asks the filter, if there is one, about a frame that has come from a port; a drop is counted against that.
func (s *Switch) bridged(from *Port, f frame.Frame, j *trace.Journey, now time.Time) bool {
	filter := s.filter.Load()
	if filter == nil || from == nil || (*filter).Bridged(f, j, now) {
		return true
	}
	from.rx.drops.Add(1)
	return false
}

// ownGroups are the reserved groups that no mask can name: spanning tree, pause frames and link aggregation
// (BR_GROUPFWD_RESTRICTED in the kernel's net/bridge/br_private.h).
const ownGroups = 1<<0 | 1<<1 | 1<<2

// SetGroupForward is the Linux bridge's group_fwd_mask: bit n lets frames for 01:80:c2:00:00:0n through, such as LLDP's, 14.
// Frames for :00, spanning tree's, always pass, as where that is off in Linux; to name it, :01 or :02 is an error.
func (s *Switch) SetGroupForward(mask uint16) error {
	if mask&ownGroups != 0 {
		return fmt.Errorf("group_fwd_mask %#x: bits 0 to 2 (spanning tree, pause, link aggregation) cannot be set", mask)
	}
	s.groups.Store(uint32(mask))
	return nil
}

// GroupForward returns the mask.
func (s *Switch) GroupForward() uint16 { return uint16(s.groups.Load()) }

// forwardsGroup reports whether frames for a reserved group go on.
func (s *Switch) forwardsGroup(group frame.MAC) bool {
	n := group[5]
	return n == 0 || s.groups.Load()&(1<<n) != 0
}

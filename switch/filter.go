package vswitch

import (
	"fmt"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

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

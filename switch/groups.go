package vswitch

import (
	"fmt"

	"uswitch/switch/frame"
)

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

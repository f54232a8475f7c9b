package plan

import "strconv"

// Defaults and bounds of a network's settings.
const (
	defaultMTU        = 1500    // Docker's
	minMTU            = 68      // RFC 791: what every link must carry in one piece
	maxMTU            = 65521   // the kernel's for a TAP: 65535 less the Ethernet header
	defaultAgeingTime = 300     // seconds; IEEE 802.1D-2004 table 7-5, and the Linux bridge
	minAgeingTime     = 0       // nothing is remembered, as in Linux; the same table begins at 10
	maxAgeingTime     = 1000000 // the same table
	maxFDB            = 1000000 // stations
	// defaultStormLimit is the switch's own: far above what hosts flood, far below what a loop of two cables does.
	defaultStormLimit = 10000 // flooded frames a second
	maxStormLimit     = 100000000
)

// defaultKnobs are those of a port about which nobody says anything.
var defaultKnobs = PortKnobs{Learning: true, Flood: true, McastFlood: true, BcastFlood: true, StormLimit: defaultStormLimit}

// knobs reads the settings of a port, or of a network's ports.
func (b *builder) knobs(x *section, absent PortKnobs) PortKnobs {
	return PortKnobs{
		Learning:   x.boolean("learning", absent.Learning),
		Flood:      x.boolean("flood", absent.Flood),
		McastFlood: x.boolean("mcast_flood", absent.McastFlood),
		BcastFlood: x.boolean("bcast_flood", absent.BcastFlood),
		Isolated:   x.boolean("isolated", absent.Isolated),
		StormLimit: x.number("storm_limit", 0, maxStormLimit, absent.StormLimit),
	}
}

// Groups that a network's group_fwd_mask can name: not spanning tree, pause and link aggregation (BR_GROUPFWD_RESTRICTED in
// the kernel's net/bridge/br_private.h).
const maxGroups, ownGroups = 0xffff, 1<<0 | 1<<1 | 1<<2

// groups reads a group_fwd_mask, in either notation.
func groups(x *section) int {
	const key = "group_fwd_mask"
	if text, ok := x.get(key).(string); ok {
		n, err := strconv.ParseUint(text, 0, 16)
		if err != nil {
			x.bad(key, "%q: want a mask from 0 to 0xffff", clip(text, 40))
			return 0
		}
		return checkedGroups(x, key, int(n))
	}
	return checkedGroups(x, key, x.number(key, 0, maxGroups, 0))
}

func checkedGroups(x *section, key string, mask int) int {
	if mask&ownGroups == 0 {
		return mask
	}
	x.bad(key, "%#x: bits 0 to 2 (spanning tree, pause, link aggregation) cannot be set", mask)
	return 0
}

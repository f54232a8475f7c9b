package lab

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

package lab

import (
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"
)

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

func (b *builder) optionMTU(config types.NetworkConfig, at path) int {
	text, ok := config.DriverOpts[optionMTU]
	if !ok {
		return defaultMTU
	}
	mtu, err := strconv.Atoi(text)
	if err != nil || mtu < minMTU || mtu > maxMTU {
		b.wrong(at.to("driver_opts", optionMTU), "%q: want a whole number from %d to %d", clip(text, 40), minMTU, maxMTU)
	}
	return mtu
}

// optionMasquerade also warns of the options that are not acted on.
func (b *builder) optionMasquerade(config types.NetworkConfig, at path) bool {
	at = at.to("driver_opts")
	for _, key := range sortedKeys(config.DriverOpts) {
		if key != optionMTU && key != optionMasquerade {
			b.warn(b.line(at.to(key)), "%s: not acted on (%s)", clip(key, 80), at[1])
		}
	}
	switch text, ok := config.DriverOpts[optionMasquerade]; {
	case !ok || text == "true":
		return true
	case text == "false":
		return false
	default:
		b.wrong(at.to(optionMasquerade), "%q: want \"true\" or \"false\"", clip(text, 40))
		return true
	}
}

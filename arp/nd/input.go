package nd

import (
	"time"

	"uswitch/arp"
	"uswitch/switch/frame"
)

// Input notes in the neighbour table what a neighbour's solicitation or advertisement says, and says what it is to the station
// that the table belongs to. mac is the source of the frame that it came in. Of other messages only their sender is noted.
func Input[P any](c *arp.Cache[P], m frame.ND, mac frame.MAC, self arp.Self, now time.Time) (out arp.Outcome[P]) {
	switch {
	case m.SourceMAC != frame.MAC{} && m.SourceMAC != mac, m.TargetMAC != frame.MAC{} && m.TargetMAC != mac:
		return arp.Outcome[P]{Case: arp.Disguised} // nobody here speaks for others
	case m.Type == frame.ICMPv6Advert:
		return advertised(c, m, self, now)
	case m.Type == frame.ICMPv6RouterSolicit:
		out.Case = arp.Asked
	case m.Type != frame.ICMPv6Solicit || !self.Has(m.Target):
		return arp.Outcome[P]{Case: arp.NotMine}
	case m.IsDAD():
		return arp.Outcome[P]{Case: arp.Probed}
	default:
		out.Case = arp.Asked
		if _, near := self.For(m.Src); !near {
			return arp.Outcome[P]{Case: arp.Foreign}
		}
	}
	if (m.SourceMAC != frame.MAC{}) {
		out.Learned, out.Held = c.Met(m.Src, m.SourceMAC, now)
	}
	return out
}

func advertised[P any](c *arp.Cache[P], m frame.ND, self arp.Self, now time.Time) (out arp.Outcome[P]) {
	if self.Has(m.Target) {
		return arp.Outcome[P]{Case: arp.Conflict, Defend: true}
	}
	known, changed, held := c.Advertised(m.Target, arp.Advert{MAC: m.TargetMAC, Solicited: m.Solicited, Override: m.Override, Router: m.Router}, now)
	if !known {
		return arp.Outcome[P]{Case: arp.Unsolicited}
	}
	return arp.Outcome[P]{Case: arp.Told, Learned: changed, Held: held}
}

package explain

import (
	"fmt"

	"uswitch/switch/frame"
)

// smaller is for a ping that may not be cut and is too big for the way.
func (t *trial) smaller(s *blocker) []proposal {
	if t.target.Protocol != "icmp" {
		return nil
	}
	mtu := 0
	if s.event != nil {
		mtu = int(s.event.Count)
	} else if s.card != nil {
		mtu = s.card.MTU
	}
	size := mtu - frame.IPv4Header - frame.ICMPHeader
	if size <= 0 {
		return nil
	}
	return []proposal{inside(t.target.From, fmt.Sprintf("ping -M do -s %d %v", size, t.target.addr), func(t *trial) { t.target.Size = size })}
}

// sameMTU is for a frame that is too big for its receiver: both ends of a network need the same MTU.
func (t *trial) sameMTU(s *blocker) []proposal {
	h, card := t.cardOf(s.event.Where, s.event.Port)
	if h == nil || s.event.IP {
		return nil
	}
	need := 1500
	for _, o := range t.lab.Hosts {
		for _, c := range o.Cards {
			if c.Network == card.Network {
				need = max(need, c.MTU)
			}
		}
	}
	name, dev, network, port := h.Name, card.Name, card.Network, card.Port
	return []proposal{inside(name, fmt.Sprintf("ip link set %s mtu %d", dev, need), func(t *trial) {
		t.card(name, dev).MTU = need
		if sw, p := t.lab.port(network, port); p != nil {
			k := p.Knobs()
			k.MTU = need
			sw.SetKnobs(p, k)
		}
	})}
}

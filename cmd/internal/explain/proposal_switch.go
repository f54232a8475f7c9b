package explain

import (
	"fmt"
	"strings"

	vswitch "uswitch/switch"
	"uswitch/switch/trace"
)

// openPort turns the knob that keeps a frame from a port.
func (t *trial) openPort(s *blocker) (all []proposal) {
	for _, sw := range t.lab.Switches {
		for _, p := range sw.Ports() {
			k := p.Knobs()
			knob := ""
			switch {
			case s.card != nil && (s.card.Port != p.Name() || s.card.Network != sw.Name()),
				s.card == nil && p.Name() != t.target.From && !t.isTarget(p.Name()):
				continue
			case s.reason == trace.Isolated && k.Isolated:
				k.Isolated, knob = false, "isolated=off"
			case s.reason == trace.NoFlood && !k.BroadcastFlood:
				k.BroadcastFlood, knob = true, "bcast_flood=on"
			case s.reason == trace.NoFlood && !k.Flood:
				k.Flood, knob = true, "flood=on"
			default:
				continue
			}
			all = append(all, t.setKnobs(sw.Name(), p.Name(), knob, k))
		}
	}
	return all
}

func (t *trial) isTarget(port string) bool {
	h, c := t.lab.owner(t.target.addr)
	return h != nil && c.Port == port
}

func (t *trial) setKnobs(network, port, knob string, k vswitch.Knobs) proposal {
	command := "uswitch set port " + port + " " + knob
	if len(t.lab.Switches) > 1 {
		command += " --network " + network
	}
	return proposal{command: command, apply: func(t *trial) error {
		if sw, p := t.lab.port(network, port); p != nil {
			sw.SetKnobs(p, k)
		}
		return nil
	}}
}

// forgetStation is for a static entry that says that a station lives elsewhere.
func (t *trial) forgetStation(s *blocker) []proposal {
	if s.event == nil || len(s.event.Frame.Data) < 12 || s.event.IP {
		return nil
	}
	mac, network := [6]byte(s.event.Frame.Data[6:12]), s.event.Where
	return []proposal{{command: fmt.Sprintf("uswitch set fdb %s port=none", macText(mac)), apply: func(t *trial) error {
		if sw := t.lab.network(network); sw != nil {
			sw.FDB().Remove(mac)
		}
		return nil
	}}}
}

func macText(m [6]byte) string {
	return strings.ReplaceAll(fmt.Sprintf("% x", m[:]), " ", ":")
}

package explain

import (
	"uswitch/nat/rule"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// proposal is something that may help. Whether it does is found out by trying.
type proposal struct {
	command string // to be typed
	text    string // in words, where no command can do it
	apply   func(*trial) error
}

// proposals are all that may help against a stop, the most likely first. The list is closed: each of them is something
// that a learner can have forgotten, and that one command mends.
func (t *trial) proposals(s *blocker) []proposal {
	switch s.Reason {
	case hairpin:
		return t.hairpin(s)
	case sim.DropBlackhole, sim.DropUnreachable, sim.DropProhibit, sim.DropMartian:
		return t.allow(s)
	}
	switch s.reason {
	case trace.NoRoute:
		if s.host != nil {
			return append(t.allow(s), t.hostRoute(s)...)
		}
		return append(t.gatewayRoute(s, frame.IPv4.Dst), t.wayOutOfLab()...)
	case trace.SpoofedSource, trace.NoAddress:
		return append(t.gatewayRoute(s, frame.IPv4.Src), t.backTo(s)...) // without a way back to it, a source is not believed
	case trace.NoUplink:
		return t.wayOutOfLab()
	case trace.PortDown:
		return t.bringUp(s)
	case trace.NeighFailed:
		return t.otherGateway(s)
	case trace.Isolated, trace.NoFlood:
		return t.openPort(s)
	case trace.MACSpoof:
		return t.forgetStation(s)
	case trace.NoForwarding:
		return []proposal{{command: "uswitch set gateway ip_forward=1", apply: func(t *trial) error {
			t.lab.Gateway.SetForwarding(true)
			return nil
		}}}
	case trace.PolicyDrop, trace.RuleDrop, trace.RuleReject:
		if s.host != nil {
			return nil // a firewall of its own is its owner's: it is shown, and not changed
		}
		return t.letPass(s)
	case trace.InsideSource:
		return t.masquerade(s)
	case trace.HostForbidden:
		return []proposal{{text: "in the lab file: `x-uswitch: {allow_host: true}`, if the lab may touch this machine",
			apply: func(t *trial) error { t.lab.Uplink.AllowHost = true; return nil }}}
	case trace.NoSocket:
		if s.host != nil {
			return t.serve(s.host.Name)
		}
		return t.publish(s)
	case trace.Unreachable, trace.TimedOut:
		return t.astray(s)
	case trace.FragNeeded:
		return t.smaller(s)
	case trace.PktTooBig:
		return t.sameMTU(s)
	}
	return nil
}

// inside is something to be typed in a host.
func inside(host, command string, apply func(*trial)) proposal {
	return proposal{command: "uswitch exec " + host + " -- " + command, apply: func(t *trial) error { apply(t); return nil }}
}

// iptables is a rule.
func iptables(args string) proposal {
	return proposal{command: "uswitch iptables " + args, apply: func(t *trial) error {
		words, err := rule.SplitLine(args)
		if err == nil {
			_, err = t.lab.Gateway.Rules().Exec(words)
		}
		return err
	}}
}

// card finds a card of a host in a trial's own state, to be changed.
func (t *trial) card(host, card string) *sim.CardState {
	h := t.changed(host)
	for i := range h.Cards {
		if h.Cards[i].Name == card {
			return &h.Cards[i]
		}
	}
	return nil
}

// cardOf finds who is plugged into a port.
func (t *trial) cardOf(network, port string) (*sim.HostState, *sim.CardState) {
	for i := range t.lab.Hosts {
		for j := range t.lab.Hosts[i].Cards {
			if c := &t.lab.Hosts[i].Cards[j]; c.Network == network && c.Port == port {
				return &t.lab.Hosts[i], c
			}
		}
	}
	return nil, nil
}

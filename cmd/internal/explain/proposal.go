package explain

import (
	"fmt"
	"strings"

	"uswitch/nat/rule"
	"uswitch/sim"
	vswitch "uswitch/switch"
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
// that a learner can have forgotten, and that one command fixes.
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
		return []proposal{{text: t.in("in the lab file: `x-uswitch: {allow_host: true}`, if the lab may touch this machine"),
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

// interface finds an interface of a host in a trial's own state, to be changed.
func (t *trial) nic(host, nic string) *sim.NICState {
	h := t.changed(host)
	for i := range h.NICs {
		if h.NICs[i].Name == nic {
			return &h.NICs[i]
		}
	}
	return nil
}

// nicOf finds who is plugged into a port.
func (t *trial) nicOf(network, port string) (*sim.HostState, *sim.NICState) {
	for i := range t.lab.Hosts {
		for j := range t.lab.Hosts[i].NICs {
			if c := &t.lab.Hosts[i].NICs[j]; c.Network == network && c.Port == port {
				return &t.lab.Hosts[i], c
			}
		}
	}
	return nil, nil
}

// openPort turns the flag that keeps a frame from a port.
func (t *trial) openPort(s *blocker) (all []proposal) {
	for _, sw := range t.lab.Switches {
		for _, p := range sw.Ports() {
			k := p.Flags()
			flag := ""
			switch {
			case s.nic != nil && (s.nic.Port != p.Name() || s.nic.Network != sw.Name()),
				s.nic == nil && p.Name() != t.target.From && !t.isTarget(p.Name()):
				continue
			case s.reason == trace.Isolated && k.Isolated:
				k.Isolated, flag = false, "isolated=off"
			case s.reason == trace.NoFlood && !k.BroadcastFlood:
				k.BroadcastFlood, flag = true, "bcast_flood=on"
			case s.reason == trace.NoFlood && !k.Flood:
				k.Flood, flag = true, "flood=on"
			default:
				continue
			}
			all = append(all, t.setFlags(sw.Name(), p.Name(), flag, k))
		}
	}
	return all
}

func (t *trial) isTarget(port string) bool {
	h, c := t.lab.owner(t.target.addr)
	return h != nil && c.Port == port
}

func (t *trial) setFlags(network, port, flag string, k vswitch.PortFlags) proposal {
	command := "uswitch set port " + port + " " + flag
	if len(t.lab.Switches) > 1 {
		command += fmt.Sprintf(" --network %s", network)
	}
	return proposal{command: command, apply: func(t *trial) error {
		if sw, p := t.lab.port(network, port); p != nil {
			sw.SetFlags(p, k)
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

// smaller is for a ping that may not be cut and is too big for the way.
func (t *trial) smaller(s *blocker) []proposal {
	if t.target.Protocol != "icmp" {
		return nil
	}
	mtu := 0
	if s.event != nil {
		mtu = int(s.event.Count)
	} else if s.nic != nil {
		mtu = s.nic.MTU
	}
	size := mtu - frame.IPv4Header - frame.ICMPHeader
	if size <= 0 {
		return nil
	}
	return []proposal{inside(t.target.From, fmt.Sprintf("ping -M do -s %d %v", size, t.target.addr), func(t *trial) { t.target.Size = size })}
}

// sameMTU is for a frame that is too big for its receiver: both ends of a network need the same MTU.
func (t *trial) sameMTU(s *blocker) []proposal {
	h, nic := t.nicOf(s.event.Where, s.event.Port)
	if h == nil || s.event.IP {
		return nil
	}
	need := 1500
	for _, o := range t.lab.Hosts {
		for _, c := range o.NICs {
			if c.Network == nic.Network {
				need = max(need, c.MTU)
			}
		}
	}
	name, dev, network, port := h.Name, nic.Name, nic.Network, nic.Port
	return []proposal{inside(name, fmt.Sprintf("ip link set %s mtu %d", dev, need), func(t *trial) {
		t.nic(name, dev).MTU = need
		if sw, p := t.lab.port(network, port); p != nil {
			k := p.Flags()
			k.MTU = need
			sw.SetFlags(p, k)
		}
	})}
}

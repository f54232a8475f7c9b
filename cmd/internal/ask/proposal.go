package ask

import (
	"fmt"
	"net/netip"
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
// that a learner can have forgotten, and that one command mends.
func (t *trial) proposals(s *Stop) []proposal {
	if s.Reason == hairpin {
		return t.hairpin(s)
	}
	switch s.reason {
	case trace.NoRoute:
		if s.host != nil {
			return t.hostRoute(s)
		}
		return append(t.gatewayRoute(s, frame.IPv4.Dst), t.wayOutOfLab()...)
	case trace.SpoofedSource:
		return t.gatewayRoute(s, frame.IPv4.Src) // without a way back to it, a source is not believed
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
	case trace.FragNeeded:
		return t.smaller(s)
	case trace.PktTooBig:
		return t.sameMTU(s)
	}
	return nil
}

// hostRoute is for a host that has no route, and perhaps no address.
func (t *trial) hostRoute(s *Stop) (all []proposal) {
	name := s.host.Name
	for _, c := range s.host.Cards {
		leg, ok := t.lab.Gateway.Interface(c.Network)
		if !ok {
			continue
		}
		if !c.Addr.IsValid() {
			free := netip.PrefixFrom(t.freeAddr(leg.Addr()), leg.Addr().Bits())
			all = append(all, inside(name, fmt.Sprintf("ip addr add %v dev %s", free, c.Name), func(t *trial) {
				t.card(name, c.Name).Addr = free
			}))
			continue
		}
		via := leg.Addr().Addr()
		all = append(all, inside(name, "ip route add default via "+via.String(), func(t *trial) { t.setDefault(name, via, c.Name) }))
	}
	return append(all, t.giveGateway(s.host)...)
}

// setDefault gives a host a default route in place of any other.
func (t *trial) setDefault(name string, via netip.Addr, card string) {
	h := t.lab.host(name)
	routes := h.Routes[:0]
	for _, r := range h.Routes {
		if r.Prefix.Bits() > 0 {
			routes = append(routes, r)
		}
	}
	h.Routes = append(routes, sim.HostRoute{Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: via, Card: card})
}

// giveGateway is for networks on which the gateway has no address.
func (t *trial) giveGateway(h *sim.HostState) (all []proposal) {
	for _, c := range h.Cards {
		if _, ok := t.lab.Gateway.Interface(c.Network); ok || !c.Addr.IsValid() {
			continue
		}
		addr := netip.PrefixFrom(c.Addr.Masked().Addr().Next(), c.Addr.Bits())
		if owner, _ := t.lab.owner(addr.Addr()); owner != nil {
			addr = netip.PrefixFrom(t.freeAddr(c.Addr), c.Addr.Bits())
		}
		all = append(all, proposal{
			text:  fmt.Sprintf("the gateway needs an address on %s: in the lab file, `gateway: %v` below the network's ipam", c.Network, addr.Addr()),
			apply: func(t *trial) error { return t.lab.addLeg(c.Network, addr) },
		})
	}
	return all
}

// freeAddr is the lowest address of a network that nobody has.
func (t *trial) freeAddr(network netip.Prefix) netip.Addr {
	a := network.Masked().Addr().Next()
	for network.Contains(a) {
		if owner, _ := t.lab.owner(a); owner == nil && !t.lab.isGateway(a) {
			return a
		}
		a = a.Next()
	}
	return network.Addr()
}

// bringUp is for an interface that is down, the host's own or the one that a frame was for.
func (t *trial) bringUp(s *Stop) []proposal {
	h, card := s.host, s.card
	if h == nil && s.event != nil {
		h, card = t.cardOf(s.event.Where, s.event.Port)
	}
	if h == nil || card == nil {
		return nil
	}
	name, dev := h.Name, card.Name
	return []proposal{inside(name, "ip link set "+dev+" up", func(t *trial) { t.card(name, dev).Down = false })}
}

// otherGateway is for a next hop that nobody is: the gateway's address is another one.
func (t *trial) otherGateway(s *Stop) (all []proposal) {
	if s.host == nil {
		return nil
	}
	for _, c := range s.host.Cards {
		leg, ok := t.lab.Gateway.Interface(c.Network)
		if !ok || !c.Addr.IsValid() || !leg.Addr().Contains(c.Addr.Addr()) {
			continue
		}
		name, via := s.host.Name, leg.Addr().Addr()
		all = append(all, inside(name, "ip route replace default via "+via.String(), func(t *trial) { t.setDefault(name, via, c.Name) }))
	}
	return append(all, t.giveGateway(s.host)...)
}

// openPort turns the knob that keeps a frame from a port.
func (t *trial) openPort(s *Stop) (all []proposal) {
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
func (t *trial) forgetStation(s *Stop) []proposal {
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

// card finds a card of a host in a trial's own state.
func (t *trial) card(host, card string) *sim.CardState {
	h := t.lab.host(host)
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

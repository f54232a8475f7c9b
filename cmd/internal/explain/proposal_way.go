package explain

import (
	"net/netip"
	"slices"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/words"
	"uswitch/nat"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// gatewayRoute gives the gateway back a route that it had in the beginning: to a network that it stands on, or the default
// route. which is the address of the packet that has no route.
func (t *trial) gatewayRoute(s *blocker, which func(frame.IPv4) netip.Addr) []proposal {
	ip, ok := s.event.IPv4()
	if !ok {
		return nil
	}
	prefix, via, dev := netip.PrefixFrom(netip.IPv4Unspecified(), 0), t.lab.Uplink.NextHop, t.lab.uplink()
	if leg := t.inner(which(ip)); leg != nil {
		prefix, via, dev = leg.Addr().Masked(), netip.Addr{}, leg
	}
	if dev == nil {
		return nil
	}
	return []proposal{addRoute(prefix, via, dev.Name())}
}

// addRoute gives the gateway a route.
func addRoute(prefix netip.Prefix, via netip.Addr, name string) proposal {
	command := "uswitch ip route add " + routeText(prefix)
	if via.IsValid() {
		command += " via " + via.String()
	}
	return proposal{command: command + " dev " + name, apply: func(t *trial) error {
		dev, ok := t.lab.Gateway.Interface(name)
		if !ok {
			return words.Errorf("interface %s: there is none", name)
		}
		return t.lab.Gateway.AddRoute(prefix, via, dev)
	}}
}

// astray is for a question that has left the lab by the default route, though it was for a host of the lab: the gateway knows
// nothing of that host's network.
func (t *trial) astray(s *blocker) (all []proposal) {
	owner, nic := t.lab.owner(s.addr)
	if s.Where != api.Outsider || owner == nil {
		return nil
	}
	if leg, ok := t.lab.Gateway.Interface(nic.Network); ok && leg.Addr().Contains(s.addr) {
		all = append(all, addRoute(leg.Addr().Masked(), netip.Addr{}, leg.Name()))
	}
	return append(all, t.giveGateway(owner)...)
}

// backTo gives the gateway an address on the network that a packet came from, where it has lost its own.
func (t *trial) backTo(s *blocker) []proposal {
	ip, ok := s.event.IPv4()
	if !ok {
		return nil
	}
	owner, _ := t.lab.owner(ip.Src())
	if owner == nil {
		return nil
	}
	return t.giveGateway(owner)
}

// wayOutOfLab is for a lab without an uplink.
func (t *trial) wayOutOfLab() []proposal {
	if t.lab.uplink() != nil {
		return nil
	}
	addr := netip.MustParsePrefix("192.168.104.2/24")
	return []proposal{{text: t.in("the lab needs a way out: `uswitch run LAB --uplink host`, or in the lab file `x-uswitch: {uplink: host}`"),
		apply: func(t *trial) error { return t.lab.addUplink(addr) }}}
}

// addUplink gives the gateway a way out, and the default route over it.
func (l *Lab) addUplink(addr netip.Prefix) error {
	i, err := l.Gateway.Add(nat.InterfaceConfig{Name: "uplink", Addr: addr, Uplink: closed{}}, l.Now)
	if err != nil {
		return err
	}
	l.Uplink.Kind = Host
	return l.Gateway.AddRoute(netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.Addr{}, i)
}

// closed is an uplink in a lab that no packet will ever move in: its forks have another in its place.
type closed struct{}

// Output implements nat.Uplink.
func (closed) Output(frame.Frame, time.Time) trace.Reason { return trace.NoUplink }

// addInterface puts the gateway onto a network, and points the default route of its hosts there, unless they have one.
func (l *Lab) addInterface(network string, addr netip.Prefix) error {
	sw := l.network(network)
	if sw == nil {
		return words.Errorf("network %s: there is none", network)
	}
	mac := frame.MACFromIPv4(addr.Addr())
	i, err := l.Gateway.Add(nat.InterfaceConfig{Name: network, Addr: addr, MAC: mac, Segment: sw}, l.Now)
	if err != nil {
		return err
	}
	sw.SetLocal(mac, i)
	for j := range l.Hosts {
		h := &l.Hosts[j]
		for _, c := range h.NICs {
			has := slices.ContainsFunc(h.Routes, func(r sim.HostRoute) bool { return r.Prefix.Bits() == 0 })
			if !has && c.Network == network {
				h.Kernel = nil
				h.Routes = append(h.Routes, sim.HostRoute{Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: addr.Addr(), NIC: c.Name})
			}
		}
	}
	return nil
}

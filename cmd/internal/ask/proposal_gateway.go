package ask

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"uswitch/nat"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// letPass lets the packet through the chain that stopped it: at the chain's end if its policy did, else before all others.
func (t *trial) letPass(s *Stop) (all []proposal) {
	ip, ok := packetOf(s.event)
	if !ok {
		return nil
	}
	chain := chainOf(s.event.Hook)
	prefix := ""
	if s.Rule != nil && s.Rule.Table != "filter" {
		prefix = "-t " + s.Rule.Table + " "
	}
	verbs := []string{"-A", "-I"}
	if s.reason != trace.PolicyDrop {
		verbs = []string{"-I"}
	}
	for _, match := range t.matches(s, ip) {
		for _, verb := range verbs {
			all = append(all, iptables(fmt.Sprintf("%s%s %s %s -j ACCEPT", prefix, verb, chain, match)))
		}
	}
	return all
}

// matches describes a packet as a learner would: by the network that it comes from or goes to, or, from one network to
// another, by both; to a service from outside, by that service. What is left is the packet's very ends.
func (t *trial) matches(s *Stop, ip frame.IPv4) (all []string) {
	src, dst := t.inner(ip.Src()), t.inner(ip.Dst())
	ends := fmt.Sprintf("-s %v -d %v", ip.Src(), ip.Dst())
	service := ""
	if tuple, ok := frame.TupleOf(ip); ok && tuple.HasPorts() && s.Way == There {
		service = fmt.Sprintf(" -p %s --dport %d", t.target.Protocol, tuple.DstPort)
	}
	atGateway := s.event.Hook != trace.Forward
	switch {
	case service != "" && dst != nil && src == nil:
		all = append(all, fmt.Sprintf("-d %v%s", ip.Dst(), service))
	case atGateway && s.Way == There && src != nil:
		all = append(all, fmt.Sprintf("-s %v", src.Addr().Masked()))
	case atGateway && dst != nil:
		all = append(all, fmt.Sprintf("-d %v", dst.Addr().Masked()))
	case src != nil && dst != nil && s.Way == There:
		all = append(all, fmt.Sprintf("-i %s -o %s", src.Name(), dst.Name()))
	case src != nil && dst != nil:
		all = append(all, "-m conntrack --ctstate RELATED,ESTABLISHED")
	case src != nil:
		all = append(all, fmt.Sprintf("-s %v", src.Addr().Masked()))
	case dst != nil:
		all = append(all, fmt.Sprintf("-d %v", dst.Addr().Masked()))
	}
	return append(all, ends)
}

// inner is the gateway's leg on the lab's own network with an address, or nil.
func (t *trial) inner(a netip.Addr) *nat.Interface {
	if leg := t.lab.leg(a); leg != nil && leg != t.lab.uplink() {
		return leg
	}
	return nil
}

// masquerade gives what leaves the lab an address that the outside can answer.
func (t *trial) masquerade(s *Stop) (all []proposal) {
	ip, ok := packetOf(s.event)
	if !ok {
		return nil
	}
	leg := t.inner(ip.Src())
	if leg == nil {
		if owner, _ := t.lab.owner(ip.Dst()); owner != nil {
			return t.giveGateway(owner) // it was for a network that the gateway does not stand on
		}
		return nil
	}
	for _, verb := range []string{"-A", "-I"} {
		all = append(all, iptables(fmt.Sprintf("-t nat %s POSTROUTING -s %v ! -o %s -j MASQUERADE", verb, leg.Addr().Masked(), leg.Name())))
	}
	return all
}

// hairpin makes the answers to a published port of the asker's own network come back through the gateway.
func (t *trial) hairpin(s *Stop) (all []proposal) {
	port, ok := t.translated()
	c := t.reachable(s.host)
	if !ok || c == nil {
		return nil
	}
	for _, verb := range []string{"-A", "-I"} {
		all = append(all, iptables(fmt.Sprintf("-t nat %s POSTROUTING -s %v -d %v -p %s --dport %d -j MASQUERADE", verb,
			c.Addr.Masked(), c.Addr.Addr(), t.target.Protocol, port)))
	}
	return all
}

// gatewayRoute gives the gateway back a route that it had in the beginning: to a network that it stands on, or the default
// route. which is the address of the packet that has no route.
func (t *trial) gatewayRoute(s *Stop, which func(frame.IPv4) netip.Addr) []proposal {
	ip, ok := packetOf(s.event)
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
	command := "uswitch ip route add " + routeText(prefix)
	if via.IsValid() {
		command += " via " + via.String()
	}
	name := dev.Name()
	return []proposal{{command: command + " dev " + name, apply: func(t *trial) error {
		dev, ok := t.lab.Gateway.Interface(name)
		if !ok {
			return fmt.Errorf("interface %s: there is none", name)
		}
		return t.lab.Gateway.AddRoute(prefix, via, dev)
	}}}
}

// wayOutOfLab is for a lab without an uplink.
func (t *trial) wayOutOfLab() []proposal {
	if t.lab.uplink() != nil {
		return nil
	}
	addr := netip.MustParsePrefix("192.168.104.2/24")
	return []proposal{{text: "the lab needs a way out: `uswitch run LAB --uplink host`, or in the lab file `x-uswitch: {uplink: host}`",
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

// addLeg puts the gateway onto a network, and points the default route of its hosts there, unless they have one.
func (l *Lab) addLeg(network string, addr netip.Prefix) error {
	sw := l.network(network)
	if sw == nil {
		return fmt.Errorf("network %s: there is none", network)
	}
	mac := frame.MACFromIPv4(addr.Addr())
	i, err := l.Gateway.Add(nat.InterfaceConfig{Name: network, Addr: addr, MAC: mac, Segment: sw}, l.Now)
	if err != nil {
		return err
	}
	sw.SetLocal(mac, i)
	for j := range l.Hosts {
		h := &l.Hosts[j]
		for _, c := range h.Cards {
			if _, has := routeOf(h, netip.IPv4Unspecified()); !has && c.Network == network {
				h.Routes = append(h.Routes, sim.HostRoute{Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: addr.Addr(), Card: c.Name})
			}
		}
	}
	return nil
}

// serve lets a host listen.
func (t *trial) serve(host string) []proposal {
	f := t.target
	port := f.Port
	apply := func(p uint16) func(*trial) {
		return func(t *trial) {
			h := t.lab.host(host)
			if f.Protocol == "tcp" {
				h.TCP = append(h.TCP, p)
			} else {
				h.UDP = append(h.UDP, p)
			}
		}
	}
	if to, ok := t.translated(); ok {
		port = to
	}
	if f.Protocol == "tcp" {
		return []proposal{inside(host, fmt.Sprintf("uswitch serve -p %d", port), apply(port))}
	}
	return []proposal{inside(host, fmt.Sprintf("nc -lku %d", port), apply(port))}
}

// translated is the port at which the question of this trial arrives.
func (t *trial) translated() (uint16, bool) {
	f, err := t.run()
	if err != nil {
		return 0, false
	}
	return f.deliveredPort()
}

// publish leads a port of the gateway's to a host that listens there: to the same port if somebody does, else to any host's
// only one.
func (t *trial) publish(s *Stop) (all []proposal) {
	f := t.target
	if f.Protocol == "icmp" || s.event == nil || s.event.Hook != trace.Input {
		return nil
	}
	for _, same := range []bool{true, false} {
		for _, h := range t.lab.Hosts {
			ports := h.TCP
			if f.Protocol == "udp" {
				ports = h.UDP
			}
			for _, port := range ports {
				if c := t.reachable(&h); (port == f.Port) == same && h.Name != f.From && c != nil {
					to := netip.AddrPortFrom(c.Addr.Addr(), port)
					p := iptables(fmt.Sprintf("-t nat -A PREROUTING -p %s -m addrtype --dst-type LOCAL --dport %d -j DNAT --to-destination %v",
						f.Protocol, f.Port, to))
					if t.lab.Uplink.Kind == Host {
						suffix := strings.TrimPrefix("/"+f.Protocol, "/tcp")
						p.command = fmt.Sprintf("uswitch publish add %s %d:%d%s", h.Name, f.Port, port, suffix)
					}
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// reachable is a card of a host's on a network of the gateway's, or nil.
func (t *trial) reachable(h *sim.HostState) *sim.CardState {
	for i := range h.Cards {
		if c := &h.Cards[i]; c.Addr.IsValid() && t.inner(c.Addr.Addr()) != nil {
			return c
		}
	}
	return nil
}

// smaller is for a ping that may not be cut and is too big for the way.
func (t *trial) smaller(s *Stop) []proposal {
	if t.target.Protocol != "icmp" {
		return nil
	}
	mtu := 0
	if s.event != nil {
		mtu = int(s.event.Count)
	} else if s.host != nil {
		if r, ok := routeOf(s.host, t.target.addr); ok && r.card != nil {
			mtu = r.card.MTU
		}
	}
	size := mtu - frame.IPv4Header - frame.ICMPHeader
	if size <= 0 {
		return nil
	}
	return []proposal{inside(t.target.From, fmt.Sprintf("ping -M do -s %d %v", size, t.target.addr), func(t *trial) { t.target.Size = size })}
}

// sameMTU is for a frame that is too big for its receiver: both ends of a network need the same MTU.
func (t *trial) sameMTU(s *Stop) []proposal {
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

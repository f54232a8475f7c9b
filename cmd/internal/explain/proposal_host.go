package explain

import (
	"fmt"
	"net/netip"
	"strings"

	"uswitch/cmd/internal/words"
	"uswitch/sim"
	"uswitch/switch/trace"
)

// hostRoute is for a host that has no route, and perhaps no address.
func (t *trial) hostRoute(s *blocker) (all []proposal) {
	name := s.host.Name
	for _, c := range s.host.NICs {
		leg, ok := t.lab.Gateway.Interface(c.Network)
		if !ok {
			continue
		}
		if !c.Addr.IsValid() && leg.Addr().IsValid() {
			free := netip.PrefixFrom(t.freeAddr(leg.Addr()), leg.Addr().Bits())
			all = append(all, inside(name, fmt.Sprintf("ip addr add %v dev %s", free, c.Name), func(t *trial) {
				t.nic(name, c.Name).Addr = free
			}))
			continue
		}
		via := t.gatewayAddr(s.host, &c).Addr()
		if leg.Addr().IsValid() {
			via = leg.Addr().Addr()
		}
		if !via.IsValid() {
			continue
		}
		all = append(all, inside(name, "ip route add default via "+via.String(), func(t *trial) { t.setDefault(name, via, c.Name) }))
	}
	return append(all, t.giveGateway(s.host)...)
}

// setDefault gives a host a default route in place of any other.
func (t *trial) setDefault(name string, via netip.Addr, nic string) {
	h := t.changed(name)
	routes := h.Routes[:0]
	for _, r := range h.Routes {
		if r.Prefix.Bits() > 0 {
			routes = append(routes, r)
		}
	}
	h.Routes = append(routes, sim.HostRoute{Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Via: via, NIC: nic})
}

// giveGateway is for networks on which the gateway has no address.
func (t *trial) giveGateway(h *sim.HostState) (all []proposal) {
	for _, c := range h.NICs {
		leg, ok := t.lab.Gateway.Interface(c.Network)
		addr := t.gatewayAddr(h, &c)
		switch {
		case !addr.IsValid() || ok && leg.Addr().IsValid():
		case ok:
			all = append(all, giveAddr(c.Network, addr))
		default:
			all = append(all, proposal{
				text:  t.in("the gateway needs an address on %s: in the lab file, `gateway: %v` below the network's ipam", c.Network, addr.Addr()),
				apply: func(t *trial) error { return t.lab.addInterface(c.Network, addr) },
			})
		}
	}
	return all
}

// giveAddr gives the gateway an address where it has a leg without one.
func giveAddr(leg string, addr netip.Prefix) proposal {
	return proposal{command: fmt.Sprintf("uswitch ip addr add %v dev %s", addr, leg), apply: func(t *trial) error {
		i, ok := t.lab.Gateway.Interface(leg)
		if !ok {
			return words.Errorf("interface %s: there is none", leg)
		}
		return t.lab.Gateway.SetAddr(i, addr, t.lab.Now)
	}}
}

// gatewayAddr is the address that the gateway should have on an interface's network: the one where the host looks for it, or else
// the first, or the lowest that nobody has. It is not valid if the interface has no address.
func (t *trial) gatewayAddr(h *sim.HostState, c *sim.NICState) netip.Prefix {
	if !c.Addr.IsValid() {
		return netip.Prefix{}
	}
	addr := c.Addr.Masked().Addr().Next()
	for _, r := range h.Routes {
		if r.Via.IsValid() && r.NIC == c.Name && c.Addr.Contains(r.Via) {
			addr = r.Via
		}
	}
	if owner, _ := t.lab.owner(addr); owner != nil {
		addr = t.freeAddr(c.Addr)
	}
	return netip.PrefixFrom(addr, c.Addr.Bits())
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
func (t *trial) bringUp(s *blocker) []proposal {
	h, nic := s.host, s.nic
	if h != nil && s.loDown {
		name := h.Name
		return []proposal{inside(name, "ip link set lo up", func(t *trial) { t.changed(name).LoDown = false })}
	}
	if h == nil && s.event != nil {
		h, nic = t.nicOf(s.event.Where, s.event.Port)
	}
	if h == nil || nic == nil {
		return nil
	}
	name, dev := h.Name, nic.Name
	return []proposal{inside(name, "ip link set "+dev+" up", func(t *trial) { t.nic(name, dev).Down = false })}
}

// otherGateway is for a next hop that nobody is: the gateway's address is another one.
func (t *trial) otherGateway(s *blocker) (all []proposal) {
	if s.host == nil {
		return nil
	}
	for _, c := range s.host.NICs {
		leg, ok := t.lab.Gateway.Interface(c.Network)
		if !ok || !c.Addr.IsValid() || !leg.Addr().Contains(c.Addr.Addr()) {
			continue
		}
		name, via := s.host.Name, leg.Addr().Addr()
		all = append(all, inside(name, "ip route replace default via "+via.String(), func(t *trial) { t.setDefault(name, via, c.Name) }))
	}
	return append(all, t.giveGateway(s.host)...)
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
	if at := heldAt(t.lab.host(host), f.Protocol, port); at != "" {
		return []proposal{{text: t.in("the server of %s has %s port %d at %s only, so that no other can take it: end it, and start it so that it listens on 0.0.0.0, which is all addresses",
			host, upper(f.Protocol), port, at), apply: func(t *trial) error { apply(port)(t); return nil }}}
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
func (t *trial) publish(s *blocker) (all []proposal) {
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

// reachable is an interface of a host's on a network of the gateway's, or nil.
func (t *trial) reachable(h *sim.HostState) *sim.NICState {
	for i := range h.NICs {
		if c := &h.NICs[i]; c.Addr.IsValid() && t.inner(c.Addr.Addr()) != nil {
			return c
		}
	}
	return nil
}

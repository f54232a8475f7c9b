package explain

import (
	"fmt"
	"net/netip"
	"strings"

	"uswitch/sim"
	"uswitch/switch/trace"
)

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
		return []proposal{{text: fmt.Sprintf("the server of %s has %s port %d at %s only, so that no other can take it: end it, and start it so that it listens on 0.0.0.0, which is all addresses",
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

// reachable is a card of a host's on a network of the gateway's, or nil.
func (t *trial) reachable(h *sim.HostState) *sim.CardState {
	for i := range h.Cards {
		if c := &h.Cards[i]; c.Addr.IsValid() && t.inner(c.Addr.Addr()) != nil {
			return c
		}
	}
	return nil
}

package breakage

import (
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/control/api"
)

// hostFaults are those inside hosts: cards, addresses, routes, neighbours.
func (l *lab) hostFaults() (all []Fault) {
	for _, h := range l.hosts {
		for _, card := range h.Interfaces {
			all = append(all, l.cardFaults(h, card)...)
			for _, peer := range l.peers(h, card) {
				a := on(peer, card.Network).Address.Addr()
				all = append(all, Fault{"neighbour-wrong",
					[]Action{inside(h.Name, fmt.Sprintf("ip neigh replace %v lladdr 02:00:00:00:00:0f dev %s nud permanent", a, card.Name))},
					[]Action{inside(h.Name, fmt.Sprintf("ip neigh del %v dev %s", a, card.Name))}})
			}
		}
		if h.Gateway.IsValid() {
			all = append(all, l.routeFaults(h)...)
		}
	}
	return all
}

// routes returns what brings a host's default route back if it leaves by a card: it goes with the card's address.
func defaultRoute(h api.Host, card api.Interface) []Action {
	if !h.Gateway.IsValid() || !card.Address.Masked().Contains(h.Gateway) {
		return nil
	}
	return []Action{inside(h.Name, fmt.Sprintf("ip route replace default via %v dev %s", h.Gateway, card.Name))}
}

func (l *lab) cardFaults(h api.Host, card api.Interface) []Fault {
	back := defaultRoute(h, card)
	link := func(what string) Action { return inside(h.Name, "ip link set "+card.Name+" "+what) }
	addr := func(verb string, p netip.Prefix) Action {
		return inside(h.Name, fmt.Sprintf("ip addr %s %v dev %s", verb, p, card.Name))
	}
	all := []Fault{
		{"card-down", []Action{link("down")}, append([]Action{link("up")}, back...)},
		{"address-missing", []Action{addr("del", card.Address)}, append([]Action{addr("add", card.Address)}, back...)},
	}
	if card.MTU > 600 {
		all = append(all, Fault{"mtu-small", []Action{link("mtu 576")}, []Action{link(fmt.Sprintf("mtu %d", card.MTU))}})
	}
	if narrow, ok := narrowed(card.Address, h.Gateway); ok {
		all = append(all, Fault{"netmask-wrong", append([]Action{addr("del", card.Address), addr("add", narrow)}, back...),
			append([]Action{addr("del", narrow), addr("add", card.Address)}, back...)})
	}
	return all
}

// narrowed returns the longest prefix of a card that still has its gateway in it.
func narrowed(card netip.Prefix, gateway netip.Addr) (narrow netip.Prefix, ok bool) {
	if !card.Contains(gateway) {
		return card, false
	}
	for bits := 30; bits > card.Bits(); bits-- {
		p := netip.PrefixFrom(card.Addr(), bits)
		edge := func(a netip.Addr) bool { return a == p.Masked().Addr() || a == last(p) }
		if p.Contains(gateway) && !edge(card.Addr()) && !edge(gateway) {
			return p, true
		}
	}
	return card, false
}

// routeFaults are default routes that are missing, or lead to somebody who is no router.
func (l *lab) routeFaults(h api.Host) (all []Fault) {
	right := []Action{inside(h.Name, fmt.Sprintf("ip route replace default via %v", h.Gateway))}
	all = append(all, Fault{"route-missing", []Action{inside(h.Name, "ip route del default")}, right})
	for _, n := range l.networks {
		if wrong := l.free(n.Subnet); n.Gateway == h.Gateway && wrong.IsValid() {
			all = append(all, Fault{"route-wrong", []Action{inside(h.Name, fmt.Sprintf("ip route replace default via %v", wrong))}, right})
		}
	}
	return all
}

package snapshot

import (
	"net/netip"

	"uswitch/cmd/internal/world"
)

// lookInto reads what is in a host: in its namespace, or in what simulates one.
func lookInto(w *world.World, h *world.Host) (*inside, error) {
	if !w.Simulated() {
		return look(h.Namespace)
	}
	state, err := w.SimulatedState(h)
	if err != nil {
		return nil, err
	}
	in := &inside{routes: state.Routes, tcp: everywhere(state.TCP), udp: everywhere(state.UDP), nextPort: state.NextPort,
		nextEcho: state.NextEcho}
	for _, c := range state.Cards {
		in.cards = append(in.cards, netcard{name: c.Name, mac: c.MAC, mtu: c.MTU, up: !c.Down, addr: c.Addr})
		for _, n := range c.Neighbors {
			in.neighbors = append(in.neighbors, neighbor{n, c.Name})
		}
	}
	return in, nil
}

// everywhere is where somebody listens who listens at all addresses.
func everywhere(ports []uint16) (open []netip.AddrPort) {
	for _, p := range ports {
		open = append(open, netip.AddrPortFrom(netip.IPv4Unspecified(), p))
	}
	return open
}

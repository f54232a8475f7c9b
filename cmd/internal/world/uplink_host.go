package world

import (
	"net/netip"
	"slices"
	"time"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// openHost opens a way out through sockets of this machine.
func (w *World) openHost() (next netip.Addr, err error) {
	standIn := w.standIn()
	host, err := uplink.NewHost(uplink.HostConfig{AllowHost: w.Plan().AllowHost, Own: w.ownAddresses(), MTU: w.smallestMTU(), GSO: !w.plain, Gateway: standIn, Limits: w.memory.limits(),
		Streams: w.streams, Tracer: w.tracer})
	if err != nil {
		return next, err
	}
	w.scope.add(host.Close)
	w.descriptors.share(host.Others)
	leg, err := w.addUplink(nat.InterfaceConfig{Addr: host.Addr(), MTU: uplink.MaxMTU, Uplink: host, Shared: host.Shared()})
	if err != nil {
		return next, err
	}
	host.Attach(func(f frame.Frame, now time.Time) { w.gateway.InputUplink(leg, f, now) }, w.gateway.Undelivered)
	if err := uplink.CheckPing(); err != nil {
		w.report("uplink host: " + err.Error())
	}
	w.way = &wayOut{leg: leg, onMachine: true, standIn: standIn, refuses: host.Refuses, overflowed: host.Overflowed, listen: w.listenOn(host)}
	return netip.Addr{}, nil // sockets need no next hop
}

// ownAddresses returns whoever knows what is this machine's own: its kernel or, where that is not to be asked, nil, which
// stands for the addresses of its interfaces.
func (w *World) ownAddresses() uplink.Own {
	routes, err := tap.OpenRoutes()
	if err != nil {
		return nil
	}
	w.scope.add(routes.Close)
	return routes
}

// standIn returns the address that stands for this machine inside: one that is on no network of the lab.
func (w *World) standIn() netip.Addr {
	for _, text := range []string{"10.255.255.254", "172.31.255.254"} {
		if !w.inside(uplink.DefaultGateway) {
			break
		}
		if a := netip.MustParseAddr(text); !w.inside(a) {
			return a
		}
	}
	return uplink.DefaultGateway
}

// inside reports whether an address is on a network of the lab.
func (w *World) inside(a netip.Addr) bool {
	return slices.ContainsFunc(w.Networks(), func(n *Network) bool { return n.Plan.Subnet.Contains(a) })
}

// smallestMTU is what TCP towards any network of the lab fits into.
func (w *World) smallestMTU() int {
	smallest := 0
	for _, n := range w.Networks() {
		if smallest == 0 || n.Plan.MTU < smallest {
			smallest = n.Plan.MTU
		}
	}
	return smallest
}

// listenOn publishes ports as sockets of this machine.
func (w *World) listenOn(host *uplink.Host) func(string, netip.AddrPort) (uint16, func() error, error) {
	numbers := map[string]uint8{"tcp": frame.ProtoTCP, "udp": frame.ProtoUDP}
	return func(proto string, at netip.AddrPort) (uint16, func() error, error) {
		l, err := host.Listen(numbers[proto], at)
		if err != nil {
			return 0, nil, err
		}
		return l.Addr().Port(), l.Close, nil
	}
}

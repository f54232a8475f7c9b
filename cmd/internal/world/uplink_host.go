package world

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// openHost opens a way out through sockets of this machine.
func (w *World) openHost() (next netip.Addr, err error) {
	standIn := w.standIn()
	host, err := w.sockets(uplink.HostConfig{Gateway: standIn, Addr6: w.outgoing6(), Gateway6: w.standIn6()})
	if err != nil {
		return next, err
	}
	var way nat.Uplink = host
	if w.virtual() {
		way = &realUplink{Host: host, loop: w.loop}
	}
	iface, err := w.addUplink(nat.InterfaceConfig{Addr: host.Addr(), MTU: uplink.MaxMTU, Uplink: way, Shared: host.Shared()})
	if err != nil {
		return next, err
	}
	input := func(f frame.Frame, now time.Time) { w.gateway.InputUplink(iface, f, now) }
	if real, ok := way.(*realUplink); ok {
		input = real.brings(input)
	}
	host.Attach(input, w.gateway.Undelivered)
	if err := uplink.CheckPing(); err != nil {
		w.report("uplink host: " + err.Error())
	}
	w.way = &wayOut{iface: iface, onMachine: true, standIn: standIn, six: host.Addr6(), refuses: host.Refuses, overflowed: host.Overflowed, listen: w.listenOn(host)}
	return netip.Addr{}, nil // sockets need no next hop
}

// sockets opens what has to do with the outside through sockets of this machine.
func (w *World) sockets(c uplink.HostConfig) (*uplink.Host, error) {
	c.AllowHost, c.Own, c.MTU, c.GSO, c.Limits = w.Plan().AllowHost, w.ownAddresses(), w.smallestMTU(), !w.plain, w.memory.limits()
	c.Streams, c.Tracer, c.Now = w.streams, w.tracer, w.Now
	host, err := uplink.NewHost(c)
	if err != nil {
		return nil, err
	}
	w.cleanup.add(host.Close)
	w.descriptors.share(host.Others)
	return host, nil
}

// realUplink is a way out of a lab of virtual time into this machine's. From the first packet on that is on its way there, or comes
// from there, virtual time passes as real time does.
type realUplink struct {
	*uplink.Host
	loop *sim.Loop
	once sync.Once
}

func (u *realUplink) follow() { u.once.Do(func() { u.loop.Attend(true) }) }

// Output implements nat.Uplink.
func (u *realUplink) Output(f frame.Frame, now time.Time) trace.Reason {
	u.follow()
	return u.Host.Output(f, now)
}

// brings returns what hands over to input, on the Loop, what comes in.
func (u *realUplink) brings(input func(frame.Frame, time.Time)) func(frame.Frame, time.Time) {
	return func(f frame.Frame, _ time.Time) {
		u.follow()
		f = f.Clone()
		u.loop.After(0, func() { input(f, u.loop.Now()) })
	}
}

// ownAddresses returns whoever knows what is this machine's own: its kernel or, where that is not to be asked, nil, which
// stands for the addresses of its interfaces.
func (w *World) ownAddresses() uplink.Own {
	routes, err := tap.OpenRoutes()
	if err != nil {
		return nil
	}
	w.cleanup.add(routes.Close)
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

// standIn6 is standIn in IPv6.
func (w *World) standIn6() netip.Addr {
	if other := netip.MustParseAddr("fd00:ac1f:fffe::1"); w.inside(uplink.DefaultGateway6) {
		return other
	}
	return uplink.DefaultGateway6
}

// outgoing6 returns the address of IPv6 that this machine sends from; one that stands for it where that is inside the lab.
func (w *World) outgoing6() netip.Addr {
	if a := uplink.OutgoingAddr6(); !w.inside(a) {
		return a
	}
	return uplink.FallbackAddr6
}

// inside reports whether an address is on a network of the lab.
func (w *World) inside(a netip.Addr) bool {
	return slices.ContainsFunc(w.Networks(), func(n *Network) bool {
		return n.Plan.Subnet.Contains(a) || n.Plan.IPv6 != nil && n.Plan.IPv6.Subnet.Contains(a)
	})
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
func (w *World) listenOn(host *uplink.Host) listenFunc {
	numbers := map[string]uint8{"tcp": frame.ProtoTCP, "udp": frame.ProtoUDP}
	return func(proto string, at netip.AddrPort, v6 bool) (uint16, func() error, error) {
		l, err := host.Listen(numbers[proto], at, v6)
		if err != nil {
			return 0, nil, err
		}
		return l.Addr().Port(), l.Close, nil
	}
}

package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// wayOut is an uplink that is open.
type wayOut struct {
	iface     *nat.Interface
	onMachine bool       // its ports are sockets of this machine, not ports of the gateway's own address
	standIn   netip.Addr // stands for this machine inside the lab, so that no network may have it; zero: none does
	// six is its address of IPv6, and next6 the next hop, if it needs one; zero: no way out in IPv6.
	six   netip.Prefix
	next6 netip.Addr
	// refuses says what the way out lets nobody reach, and why; nil: it has no such places.
	refuses func(netip.Addr) trace.Reason
	// overflowed counts the datagrams for which the queues of its sockets were full; nil: it has no sockets.
	overflowed func() uint64
	// listen makes the outside reach a port of the uplink: a listener, where the address is the host's. It returns the
	// port, chosen if it was 0, and what ends it.
	listen listenFunc
}

// listenFunc listens at an address for a host's IPv6, or its IPv4.
type listenFunc func(proto string, at netip.AddrPort, v6 bool) (port uint16, end func() error, err error)

// addr is the way out's own address of a family.
func (w *wayOut) addr(v6 bool) netip.Addr {
	if v6 {
		return w.six.Addr()
	}
	return w.iface.Addr().Addr()
}

// openWayOut opens what the plan asks for and points the default route there.
func (w *World) openWayOut(context.Context) error {
	open := map[plan.UplinkKind]func() (next netip.Addr, err error){
		plan.UplinkSim:   w.openSim,
		plan.UplinkHost:  w.openHost,
		plan.UplinkNetns: w.openNetns,
	}
	kind := w.Plan().Uplink.Kind
	begin, wanted := open[kind]
	if !wanted {
		return nil
	}
	next, err := begin()
	if err == nil {
		err = w.gateway.AddRoute(netip.PrefixFrom(netip.IPv4Unspecified(), 0), next, w.way.iface)
	}
	if u := w.Plan().Uplink; err == nil && u.Dev != "" && next.IsValid() { // as whoever has its address by DHCP
		err = w.gateway.AddRoute(netip.PrefixFrom(next, next.BitLen()), netip.Addr{}, w.way.iface)
	}
	if err == nil && slices.ContainsFunc(w.Networks(), func(n *Network) bool { return n.Plan.IPv6 != nil }) {
		err = w.openWayOut6()
	}
	if err != nil {
		return fmt.Errorf("uplink %s: %w", kind, err)
	}
	return nil
}

// openWayOut6 gives the way out its address of IPv6, and points the default route there. A lab of IPv4 alone has neither.
func (w *World) openWayOut6() error {
	if w.way == nil || !w.way.six.IsValid() || len(w.way.iface.Addrs6()) > 0 {
		return nil
	}
	if w.Plan().Uplink.Kind == plan.UplinkHost && w.way.six.Addr() == uplink.FallbackAddr6 {
		w.report("uplink host: this machine has no way out in IPv6 now: what wants out there is told that there is no route")
	}
	for _, n := range w.Networks() {
		if six := n.Plan.IPv6; six != nil && six.Subnet.Overlaps(w.way.six) {
			return fmt.Errorf("network %s is %v, and so is the outside, %v: give the network another subnet", n.Plan.Name, six.Subnet, w.way.six.Masked())
		}
	}
	if err := w.gateway.SetAddrs6(w.way.iface, []netip.Prefix{w.way.six}, w.Now()); err != nil {
		return err
	}
	return w.gateway.AddRoute(netip.PrefixFrom(netip.IPv6Unspecified(), 0), w.way.next6, w.way.iface)
}

// addUplink puts the gateway onto a way out. A lab whose own network is out there too would never get an answer.
func (w *World) addUplink(c nat.InterfaceConfig) (*nat.Interface, error) {
	for _, n := range w.Networks() {
		if n.Plan.Subnet.Overlaps(c.Addr) {
			return nil, fmt.Errorf("network %s is %v, and so is the outside, %v: give the network another subnet", n.Plan.Name, n.Plan.Subnet, c.Addr.Masked())
		}
	}
	c.Name = w.uplinkName()
	iface, err := w.gateway.Add(c, w.Now())
	if err != nil {
		return nil, err
	}
	w.cleanup.add(func() error {
		w.gateway.Remove(iface)
		return nil
	})
	return iface, nil
}

// uplinkName is what rules, routes and the trace call the way out.
func (w *World) uplinkName() string { return w.Plan().Uplink.Name() }

// Refuses reports whether the way out is closed to a destination: because it is this machine's own, most likely.
func (w *World) Refuses(dst netip.Addr) trace.Reason {
	if w.way == nil || w.way.refuses == nil {
		return trace.NoReason
	}
	return w.way.refuses(dst)
}

// noListener is for uplinks whose address is the gateway's own: what comes for it arrives without being asked for.
func noListener(_ string, at netip.AddrPort, _ bool) (uint16, func() error, error) {
	if at.Port() == 0 {
		return 0, nil, fmt.Errorf("want a port: nobody gives out free ones on this uplink")
	}
	return at.Port(), func() error { return nil }, nil
}

// InternetOf describes the internet behind a way out that is in memory.
func InternetOf(u plan.Uplink) sim.InternetConfig {
	c := sim.InternetConfig{Addr: u.Address}
	if u.Gateway.IsValid() {
		c.Routers = []netip.Addr{u.Gateway, sim.SecondHop}
	}
	return c
}

// openSim opens a way out into an internet in memory, which runs in the lab's time.
func (w *World) openSim() (next netip.Addr, err error) {
	loop := w.loop
	if loop == nil {
		loop = sim.NewWallLoop()
		w.cleanup.add(w.nothing(loop.Close))
	}
	want := w.Plan().Uplink
	internet, err := sim.NewInternet(InternetOf(want), uplinkClock{loop, w.tracer}, w.random())
	if err != nil {
		return next, err
	}
	if want.PublishHere && w.loop == nil {
		return internet.NextHop(), w.openBoth(internet)
	}
	iface, err := w.addUplink(nat.InterfaceConfig{Addr: internet.Addr(), Uplink: internet})
	if err != nil {
		return next, err
	}
	internet.Connect(w.gateway, iface)
	w.way = &wayOut{iface: iface, listen: noListener, six: internet.Addr6(), next6: internet.NextHop6()}
	return internet.NextHop(), nil
}

// openNetns opens a way out through an interface in a namespace of the person's choosing; the interface is called by the lab's
// way out, uplink, and has the address that is the gateway's next hop.
func (w *World) openNetns() (next netip.Addr, err error) {
	want := w.Plan().Uplink
	ns, err := w.host.Adopt(want.Netns)
	if err != nil {
		return next, fmt.Errorf("%s: x-uswitch.uplink: %w", w.Plan().Source, err)
	}
	nic := tap.Interface{Name: plan.UplinkName, DisableIPv6: true, Addresses: []netip.Prefix{netip.PrefixFrom(want.Gateway, want.Address.Bits())}}
	if want.Address6.IsValid() {
		nic.DisableIPv6, nic.Addresses = false, append(nic.Addresses, netip.PrefixFrom(want.Gateway6, want.Address6.Bits()))
	}
	device, err := w.open(ns, nic)
	if err != nil {
		return next, err
	}
	way := uplink.NewNetns(w.uplinkName(), device, w.tracer)
	w.cleanup.add(way.Close)
	iface, err := w.addUplink(nat.InterfaceConfig{Addr: want.Address, MAC: frame.MACFromIPv4(want.Address.Addr()), Segment: way})
	if err != nil {
		return next, err
	}
	closing := make(chan struct{})
	w.cleanup.add(func() error { close(closing); return nil })
	w.ports.Go(func() { w.carryUplink(way, iface, closing) })
	w.way = &wayOut{iface: iface, listen: noListener, six: want.Address6, next6: want.Gateway6}
	return want.Gateway, nil
}

// carryUplink runs the way out until its interface is gone or the lab ends. A fault takes it out of use for a while.
func (w *World) carryUplink(way *uplink.Netns, iface *nat.Interface, closing <-chan struct{}) {
	for {
		err := way.Run(iface, time.Now)
		if !errors.Is(err, uplink.ErrFault) {
			if !errors.Is(err, tap.ErrGone) {
				w.report(fmt.Sprintf("uplink: unplugged: %v", err))
			}
			return
		}
		w.report(fmt.Sprintf("uplink: unplugged after a fault; it is plugged in again in %v", faultPause))
		select {
		case <-time.After(faultPause):
		case <-closing:
			return
		}
	}
}

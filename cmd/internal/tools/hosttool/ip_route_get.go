package hosttool

import (
	"context"
	"net/netip"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/switch/frame"
)

// getRoute answers `ip route get`: the decision of the gateway for a packet of its own, by the tables that the kernel calls local and
// main.
func (i *ip) getRoute(ctx context.Context, dst string) error {
	if dst == "" {
		return refuse(1, "need at least a destination address")
	}
	to, err := i.prefix(dst)
	if err != nil {
		return err
	}
	if to.Addr().Is6() || to.Addr().IsMulticast() {
		return refuse(255, `"ip route get %s" is not answered here: want an IPv4 address that is no group's`, dst)
	}
	rows, err := i.routes(ctx)
	if err != nil {
		return err
	}
	devices, err := i.devices(ctx)
	if err != nil {
		return err
	}
	decision, ok := decide(to.Addr(), rows, devices)
	if !ok {
		return refuse(2, "RTNETLINK answers: Network is unreachable")
	}
	return i.write(i.format, []view.RouteDecision{decision}, func() error { return view.RouteGet(i.Out, decision) })
}

// decide looks an address up.
func decide(a netip.Addr, rows []api.Route, devices []api.Device) (d view.RouteDecision, ok bool) {
	d.Dst, d.Flags, d.Cache = a.String(), []string{}, []string{}
	local := func(source string) (view.RouteDecision, bool) {
		d.Type, d.Dev, d.Source, d.Cache = "local", "lo", source, []string{"local"}
		return d, true
	}
	sources := map[string]string{}
	for _, dev := range devices {
		own := dev.Address
		if !own.IsValid() {
			continue
		}
		sources[dev.Name] = own.Addr().String()
		switch {
		case a == own.Addr() || a.IsLoopback() && dev.Kind == api.KindLoopback:
			return local(a.String())
		case own.Bits() < 31 && a == frame.BroadcastOf(own.Masked()):
			d.Type, d.Dev, d.Source, d.Cache = "broadcast", dev.Name, own.Addr().String(), []string{"local", "brd"}
			return d, true
		}
	}
	if a.IsUnspecified() {
		return local("127.0.0.1")
	}
	best := -1
	for _, r := range rows {
		p := view.RoutePrefix(r.Dst)
		if p.Contains(a) && p.Bits() > best {
			best, d.Gateway, d.Dev, d.Source = p.Bits(), r.Gateway, r.Dev, r.Prefsrc
		}
	}
	if d.Source == "" {
		d.Source = sources[d.Dev]
	}
	if a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) && best >= 0 {
		d.Type, d.Gateway, d.Cache = "broadcast", "", []string{"local", "brd"}
	}
	return d, best >= 0
}

package world

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// openNetns opens a way out through a card in a namespace of the person's choosing; the card is called by the lab's
// way out, uplink, and has the address that is the gateway's next hop.
func (w *World) openNetns() (next netip.Addr, err error) {
	plan := w.Plan().Uplink
	ns, err := w.host.Adopt(plan.Netns)
	if err != nil {
		return next, fmt.Errorf("%s: x-uswitch.uplink: %w", w.Plan().Source, err)
	}
	device, err := w.open(ns, tap.Interface{Name: UplinkName, DisableIPv6: true,
		Addresses: []netip.Prefix{netip.PrefixFrom(plan.Gateway, plan.Address.Bits())}})
	if err != nil {
		return next, err
	}
	way := uplink.NewNetns(UplinkName, device, w.tracer)
	w.scope.add(way.Close)
	leg, err := w.addUplink(nat.InterfaceConfig{Addr: plan.Address, MAC: frame.MACFromIPv4(plan.Address.Addr()), Segment: way})
	if err != nil {
		return next, err
	}
	closing := make(chan struct{})
	w.scope.add(func() error { close(closing); return nil })
	w.ports.Go(func() { w.carryUplink(way, leg, closing) })
	w.way = &wayOut{leg: leg, listen: noListener}
	return plan.Gateway, nil
}

// carryUplink runs the way out until its card is gone or the lab ends. A fault takes it out of use for a while.
func (w *World) carryUplink(way *uplink.Netns, leg *nat.Interface, closing <-chan struct{}) {
	for {
		err := way.Run(leg, time.Now)
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

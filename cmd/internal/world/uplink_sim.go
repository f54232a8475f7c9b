package world

import (
	"net/netip"

	"uswitch/nat"
	"uswitch/sim"
)

// openSim opens a way out into an internet in memory, which runs in the lab's time.
func (w *World) openSim() (next netip.Addr, err error) {
	loop := w.loop
	if loop == nil {
		loop = sim.NewWallLoop()
		w.scope.add(w.nothing(loop.Close))
	}
	internet, err := sim.NewInternet(sim.InternetConfig{}, uplinkClock{loop, w.tracer}, w.random())
	if err != nil {
		return next, err
	}
	leg, err := w.addUplink(nat.InterfaceConfig{Addr: internet.Addr(), Uplink: internet})
	if err != nil {
		return next, err
	}
	internet.Connect(w.gateway, leg)
	w.way = &wayOut{leg: leg, listen: noListener}
	return internet.NextHop(), nil
}

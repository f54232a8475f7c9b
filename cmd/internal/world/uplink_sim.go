package world

import (
	"context"
	"math/rand/v2"
	"net/netip"

	"uswitch/nat"
	"uswitch/sim"
	"uswitch/switch/trace"
)

// openSim opens a way out into an internet in memory, which runs in real time.
func (w *World) openSim() (next netip.Addr, err error) {
	clock := sim.NewRealTime()
	internet, err := sim.NewInternet(sim.InternetConfig{}, clock, rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	if err != nil {
		return next, err
	}
	leg, err := w.addUplink(nat.InterfaceConfig{Addr: internet.Addr(), Uplink: internet})
	if err != nil {
		return next, err
	}
	internet.Connect(w.gateway, leg)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if err := clock.Run(ctx); err != nil { // what was due then is lost
				w.tracer.Count(trace.UplinkFault)
				w.report("uplink sim: " + err.Error())
			}
		}
	}()
	w.scope.add(func() error {
		stop()
		<-ended
		return nil
	})
	w.way = &wayOut{leg: leg, listen: noListener}
	return internet.NextHop(), nil
}

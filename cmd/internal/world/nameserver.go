package world

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"

	"uswitch/cmd/internal/world/names"
	"uswitch/nat/station"
	"uswitch/sim"
	"uswitch/switch/frame"
)

// startNames opens the lab's name server at the gateway's addresses, over UDP and TCP.
func (w *World) startNames(context.Context) error {
	programs, err := w.newStation()
	if err != nil {
		return err
	}
	w.scope.add(w.nothing(programs.Close))
	var forwarder *names.Forwarder
	if up := w.upstream(programs); up != nil {
		forwarder = names.NewForwarder(up, w.way.onMachine, w.namesClock(), w.numbers()) // what is asked by sockets may come back by a published port
		w.scope.add(func() error {
			forwarder.Close()
			return nil
		})
	}
	w.names = names.NewServer(names.Config{Gateway: w.gateway, Forwarder: forwarder, Clock: w.namesClock()})
	w.names.Set(names.Of(w.Plan()))
	release, err := w.gateway.Open(frame.ProtoUDP, names.Port, w.names)
	if err != nil {
		return fmt.Errorf("the name server: %w", err)
	}
	w.scope.add(func() error {
		release()
		return nil
	})
	listener, err := programs.Listen(names.Port, w.names.Accepts)
	if err != nil {
		return fmt.Errorf("the name server: %w", err)
	}
	w.serveNames(listener)
	return nil
}

// ownSockets are sockets of the gateway itself: netstack's, or in a simulated lab those of a machine on its Loop.
type ownSockets interface {
	Listen(port uint16, hears func(src, dst netip.Addr) bool) (net.Listener, error)
	Dial(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
	Close()
}

func (w *World) newStation() (ownSockets, error) {
	if w.loop != nil {
		return sim.NewStation(w.gateway, w.loop, w.random()), nil
	}
	return station.New(w.gateway, w.tracer)
}

// namesClock is what the name server of a simulated lab waits by.
type namesClock struct {
	*sim.Loop
	sockets bool // whoever is outside is asked by sockets of this machine, in its time
}

// Outside implements names.Clock.
func (c namesClock) Outside(f func()) {
	if !c.sockets {
		f()
		return
	}
	defer c.Tie()()
	c.Loop.Outside(sim.Reading, f)
}

func (w *World) namesClock() names.Clock {
	if w.loop == nil {
		return nil
	}
	return namesClock{w.loop, w.way != nil && w.way.onMachine}
}

// numbers are random ones for questions where all is to be the same in every run; nil elsewhere.
func (w *World) numbers() *rand.Rand {
	if !w.virtual() {
		return nil
	}
	return w.random()
}

// serveNames answers over TCP until the world goes down.
func (w *World) serveNames(l net.Listener) {
	if w.loop != nil {
		w.loop.Go(func() { w.names.ServeTurns(l) })
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.names.Serve(ctx, l)
	}()
	w.scope.add(func() error {
		stop()
		<-ended
		return nil
	})
}

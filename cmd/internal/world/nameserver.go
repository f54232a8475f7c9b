package world

import (
	"context"
	"fmt"
	"net"

	"uswitch/cmd/internal/world/names"
	"uswitch/nat/station"
	"uswitch/switch/frame"
)

// startNames opens the lab's name server at the gateway's addresses, over UDP and TCP.
func (w *World) startNames(context.Context) error {
	programs, err := station.New(w.gateway, w.tracer)
	if err != nil {
		return err
	}
	w.scope.add(func() error {
		programs.Close()
		return nil
	})
	var forwarder *names.Forwarder
	if up := w.upstream(programs); up != nil {
		forwarder = names.NewForwarder(up, w.way.onMachine) // what is asked by sockets may come back by a published port
		w.scope.add(func() error {
			forwarder.Close()
			return nil
		})
	}
	w.names = names.NewServer(names.Config{Gateway: w.gateway, Forwarder: forwarder})
	w.names.Set(names.Of(w.Plan()))
	release, err := w.gateway.Open(frame.ProtoUDP, names.Port, w.names)
	if err != nil {
		return fmt.Errorf("the name server: %w", err)
	}
	w.scope.add(func() error {
		release()
		return nil
	})
	listener, err := programs.Listen(names.Port, w.names.Hears)
	if err != nil {
		return fmt.Errorf("the name server: %w", err)
	}
	w.serveNames(listener)
	return nil
}

// serveNames answers over TCP until the world goes down.
func (w *World) serveNames(l net.Listener) {
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

package server

import (
	"os"
	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/world"
)

// Resting returns a client for a world that nobody else can reach.
func Resting(w *world.World, version string) *api.Client {
	s := &Server{world: w, engine: newEngine(w), version: version, pid: os.Getpid(), stop: func() {}, streams: make(chan struct{}, maxStreams)}
	return api.InProcess(s.handler(), w.Plan().Name)
}

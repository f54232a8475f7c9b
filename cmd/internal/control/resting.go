package control

import (
	"os"
	"uswitch/cmd/internal/world"
)

// Resting returns a client for a world that nobody else can reach.
func Resting(w *world.World, version string) *Client {
	s := &Server{world: w, engine: newEngine(w), version: version, pid: os.Getpid(), stop: func() {}, streams: make(chan struct{}, maxStreams)}
	return InProcess(s.handler(), w.Plan().Name)
}

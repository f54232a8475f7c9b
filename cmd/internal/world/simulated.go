package world

import (
	"context"
	"time"

	"uswitch/sim"
	"uswitch/tap"
)

// inMemory is a tap.Host whose namespaces are simulated. What is in them it says itself, where a kernel would be looked into.
type inMemory interface {
	State(tap.Namespace) (sim.HostState, error)
	Ask(context.Context, tap.Namespace, sim.Question, time.Duration) error
}

// Simulated reports whether the world's hosts are simulated: no process of this machine can get into them.
func (w *World) Simulated() bool {
	_, ok := w.host.(inMemory)
	return ok
}

// SimulatedState describes a host of a simulated world: its cards, without the cables, its routes, and who listens.
func (w *World) SimulatedState(h *Host) (sim.HostState, error) {
	return w.host.(inMemory).State(h.Namespace)
}

// SimulatedAsk has a host of a simulated world put a question by its own stack, and returns what came of it; nil is an answer.
func (w *World) SimulatedAsk(ctx context.Context, h *Host, q sim.Question, wait time.Duration) error {
	return w.host.(inMemory).Ask(ctx, h.Namespace, q, wait)
}

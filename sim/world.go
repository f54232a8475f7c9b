package sim

import (
	"slices"
	"time"

	"uswitch/nat"
	vswitch "uswitch/switch"
	"uswitch/switch/trace"
)

// World is a lab in memory. It belongs to one goroutine; what its switches, its gateway and its tracer offer may be used
// from others as in a real lab, while the world stands still.
type World struct {
	underlay *Underlay // between the lab's tunnels
	clock    *Clock
	streams  uint64 // of random numbers that were handed out
	tracer   *trace.Tracer
	gateway  *nat.Gateway
	outside  Outside // what stands behind the uplink; nil: nothing
	switches []*vswitch.Switch
	hosts    []*Host
	tick     *Timer    // of the gateway
	tickAt   time.Time // when it is due; zero: never
}

// Clock returns the world's clock.
func (w *World) Clock() *Clock { return w.clock }

// Tracer returns what the switches and the gateway tell their steps to.
func (w *World) Tracer() *trace.Tracer { return w.tracer }

// Gateway returns the gateway. It has no interfaces if no network has an address for it.
func (w *World) Gateway() *nat.Gateway { return w.gateway }

// Switches returns the networks in the lab's order.
func (w *World) Switches() []*vswitch.Switch { return slices.Clone(w.switches) }

// Switch finds a network by its name.
func (w *World) Switch(name string) (*vswitch.Switch, bool) {
	i := slices.IndexFunc(w.switches, func(s *vswitch.Switch) bool { return s.Name() == name })
	if i < 0 {
		return nil, false
	}
	return w.switches[i], true
}

// Host finds a host by its name.
func (w *World) Host(name string) (*Host, bool) {
	i := slices.IndexFunc(w.hosts, func(h *Host) bool { return h.name == name })
	if i < 0 {
		return nil, false
	}
	return w.hosts[i], true
}

// Step does the next thing that is due. It returns false if nothing is due any more, ever.
func (w *World) Step() bool {
	w.armTick()
	done := w.clock.Step()
	w.armTick()
	return done
}

// armTick calls the gateway when something is due there.
func (w *World) armTick() {
	due := w.gateway.Deadline()
	if due.IsZero() || !w.tickAt.IsZero() && !due.Before(w.tickAt) {
		return
	}
	w.tick.Stop()
	w.tickAt = due
	w.tick = w.clock.At(due, func() {
		w.tickAt = time.Time{}
		w.gateway.Tick(w.clock.Now())
	})
}

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
	clock    *Clock
	seed     uint64
	streams  uint64 // of random numbers that were handed out
	tracer   *trace.Tracer
	gateway  *nat.Gateway
	internet *Internet
	outside  Outside // what stands behind the uplink: internet, in a world that was not forked; nil: nothing
	switches []*vswitch.Switch
	configs  map[string]NetworkConfig // by the network's name
	hosts    []*Host
	names    names
	tick     *Timer    // of the gateway
	tickAt   time.Time // when it is due; zero: never
	watchers []*watcher
}

// Clock returns the world's clock.
func (w *World) Clock() *Clock { return w.clock }

// Tracer returns what the switches and the gateway tell their steps to.
func (w *World) Tracer() *trace.Tracer { return w.tracer }

// Gateway returns the gateway. It has no interfaces if no network has an address for it.
func (w *World) Gateway() *nat.Gateway { return w.gateway }

// Internet returns the way out, or nil.
func (w *World) Internet() *Internet { return w.internet }

// Switches returns the networks in the topology's order.
func (w *World) Switches() []*vswitch.Switch { return slices.Clone(w.switches) }

// Switch finds a network by its name.
func (w *World) Switch(name string) (*vswitch.Switch, bool) {
	i := slices.IndexFunc(w.switches, func(s *vswitch.Switch) bool { return s.Name() == name })
	if i < 0 {
		return nil, false
	}
	return w.switches[i], true
}

// Hosts returns the hosts in the topology's order.
func (w *World) Hosts() []*Host { return slices.Clone(w.hosts) }

// Host finds a host by its name.
func (w *World) Host(name string) (*Host, bool) {
	i := slices.IndexFunc(w.hosts, func(h *Host) bool { return h.name == name })
	if i < 0 {
		return nil, false
	}
	return w.hosts[i], true
}

// Names returns the names of the lab's addresses, for printers of the trace.
func (w *World) Names() trace.Names { return w.names }

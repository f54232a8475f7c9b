package world

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"uswitch/cmd/internal/lab"
	"uswitch/nat"
	vswitch "uswitch/switch"
	"uswitch/switch/trace"
)

// Network is a switch and the gateway's leg on it.
type Network struct {
	Plan   *lab.Network
	Switch *vswitch.Switch
	Leg    *nat.Interface // nil before Up
}

func newNetwork(plan *lab.Network, tracer *trace.Tracer, epoch time.Time) *Network {
	return &Network{Plan: plan, Switch: vswitch.New(vswitch.Config{
		Name:       plan.Name,
		Ageing:     Ageing(plan.AgeingTime),
		MaxLearned: plan.FDBMaxLearned,
		Tracer:     tracer,
		Epoch:      epoch,
	})}
}

// Ageing turns a bridge's ageing_time into the switch's, for which zero is not "never believe" but "the default".
func Ageing(seconds int) time.Duration {
	if seconds == 0 {
		return -1
	}
	return time.Duration(seconds) * time.Second
}

// addLegs puts the gateway onto every network.
func (w *World) addLegs(context.Context) error {
	for _, n := range w.networks {
		config := nat.InterfaceConfig{Name: n.Plan.Name, Addr: n.Plan.Gateway, MAC: n.Plan.GatewayMAC, MTU: n.Plan.MTU, Segment: n.Switch}
		if n.Plan.NoAddress {
			config.Addr = netip.Prefix{}
		}
		leg, err := w.gateway.Add(config, time.Now())
		if err != nil {
			return err
		}
		n.Leg = leg
		n.Switch.SetLocal(leg.MAC(), leg)
		w.undo.add(func() error {
			w.gateway.Remove(leg)
			return nil
		})
	}
	return nil
}

// addStatic enters the stations that the lab file names into the forwarding tables.
func (w *World) addStatic(context.Context) error {
	for _, n := range w.networks {
		for _, e := range n.Plan.FDB {
			port, ok := n.Switch.Port(e.Host)
			if !ok {
				return fmt.Errorf("network %s: %s has no port for the entry %v", n.Plan.Name, e.Host, e.MAC)
			}
			if err := n.Switch.SetStatic(e.MAC, port, e.Sticky); err != nil {
				return fmt.Errorf("network %s: entry %v: %w", n.Plan.Name, e.MAC, err)
			}
		}
	}
	return nil
}

// Networks returns the networks in the order of the plan.
func (w *World) Networks() []*Network { return w.networks }

// Network returns the network of that name, or nil.
func (w *World) Network(name string) *Network {
	for _, n := range w.networks {
		if n.Plan.Name == name {
			return n
		}
	}
	return nil
}

package world

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/nat"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// Network is a switch and the gateway's leg on it, as they are at one moment: a change makes a new Network.
type Network struct {
	Plan   *plan.Network
	Switch *vswitch.Switch
	Leg    *nat.Interface // nil before Up, and where the gateway is not on the network
	scope  *scope         // how to unmake the leg; nil before Up
	former *former        // the same as long as the network is there
}

// newNetwork makes a switch that is not connected to anything.
func (w *World) newNetwork(p *plan.Network) *Network {
	n := &Network{Plan: p, Switch: vswitch.New(vswitch.Config{
		Name:       p.Name,
		Ageing:     Ageing(p.AgeingTime),
		MaxLearned: cmp.Or(p.FDBMaxLearned, w.memory.Learned),
		Tracer:     w.tracer,
		Epoch:      w.epoch,
	}), former: &former{macs: map[netip.Addr]frame.MAC{}}}
	_ = n.Switch.SetGroupForward(uint16(p.GroupFwdMask)) // package lab has checked it
	w.setFilter(n)
	return n
}

// setFilter has what a switch carries shown to the rules where hosts are not to reach each other, as dockerd has br_netfilter do
// then.
func (w *World) setFilter(n *Network) {
	if n.Plan.ICC {
		n.Switch.SetFilter(nil)
		return
	}
	n.Switch.SetFilter(w.gateway.Bridge(n.Plan.Name, n.Switch))
}

// Ageing turns a bridge's ageing_time into the switch's, for which zero is not "never believe" but "the default".
func Ageing(seconds int) time.Duration {
	if seconds == 0 {
		return -1
	}
	return time.Duration(seconds) * time.Second
}

// addStatic enters the stations that the lab file names into the forwarding tables.
func (w *World) addStatic(context.Context) error {
	for _, n := range w.Networks() {
		if err := enterStations(n, ""); err != nil {
			return err
		}
	}
	return nil
}

// enterStations enters a network's stations that are behind a host, or all of them if host is empty.
func enterStations(n *Network, host string) error {
	for _, e := range n.Plan.FDB {
		if host != "" && host != e.Host {
			continue
		}
		port, ok := n.Switch.Port(e.Host)
		if !ok {
			return fmt.Errorf("network %s: %s has no port for the entry %v", n.Plan.Name, e.Host, e.MAC)
		}
		if err := n.Switch.SetStatic(e.MAC, port, e.Sticky); err != nil {
			return fmt.Errorf("network %s: entry %v: %w", n.Plan.Name, e.MAC, err)
		}
	}
	return nil
}

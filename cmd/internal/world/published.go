package world

import (
	"context"
	"fmt"
	"slices"

	"uswitch/cmd/internal/docker/host"
	"uswitch/cmd/internal/docker/rules"
	"uswitch/cmd/internal/lab"
)

// publishAll opens the ports of the plan.
func (w *World) publishAll(context.Context) error {
	for _, h := range w.Hosts() {
		if err := w.publishPorts(h); err != nil {
			return err
		}
	}
	return nil
}

// publishPorts opens the ports of a host's plan. After an error some of them may be open.
func (w *World) publishPorts(h *Host) error {
	ports := slices.Clone(h.Plan.Ports)
	if w.docker != nil { // which has an order of its own
		slices.SortStableFunc(ports, host.ComparePorts)
	}
	for _, p := range ports {
		if w.way == nil && !w.routed(h, p) {
			continue // package lab has warned of it
		}
		open, err := w.publish(h, p)
		if err != nil {
			return err
		}
		line := "published: " + open.String()
		if open.Reach != "" {
			line += "; " + open.Reach
		}
		w.report(line)
	}
	return nil
}

// reach warns of a port that more can reach than people expect, or fewer.
func (w *World) reach(p *Published) string {
	switch kind := w.Plan().Uplink.Kind; {
	case p.routed && w.way != nil && w.way.onMachine:
		return fmt.Sprintf("open to this lab's other networks only: %s is routed, and uplink %s has no way in but translated ports", p.Network, kind)
	case p.routed:
		return fmt.Sprintf("open at the host's own address, to whoever has a route to %v", p.Subnet)
	case !w.way.onMachine && !p.HostIP.IsUnspecified() && p.HostIP != w.way.leg.Addr().Addr():
		return fmt.Sprintf("nobody reaches it: uplink %s has no listener on this machine, and is %v itself", kind, w.way.leg.Addr().Addr())
	case kind == lab.UplinkSim:
		return "reachable from inside the lab only: uplink sim has no listener on this machine"
	case w.way.onMachine && p.HostIP.IsUnspecified():
		return "open to every machine that reaches this one (127.0.0.1:PORT:PORT is for this one alone)"
	}
	return ""
}

// routed reports whether a port is on a network whose addresses the outside uses as they are.
func (w *World) routed(h *Host, p lab.Publish) bool {
	for _, c := range h.Cards {
		if c.Plan.Address.Addr() == p.To.Addr() {
			return w.Network(c.Plan.Network).Plan.GatewayMode == string(rules.Routed)
		}
	}
	return false
}

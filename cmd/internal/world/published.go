package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/dockerhost"
)

// publishAll opens the ports of the plan.
func (w *World) publishAll(ctx context.Context) error {
	for _, h := range w.Hosts() {
		if err := w.publishPorts(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// portsTogether is how many ports are published together: few enough that whoever ends ctx does not wait for long.
const portsTogether = 2048

// publishPorts opens the ports of a host's plan. After an error, or when ctx ends, some of them may be open.
func (w *World) publishPorts(ctx context.Context, h *Host) error {
	ports := slices.Clone(h.Plan.Ports)
	if w.dockers() { // which has an order of its own
		slices.SortStableFunc(ports, dockerhost.ComparePorts)
	}
	if w.way == nil { // package plan has warned of those that are none
		ports = slices.DeleteFunc(ports, func(p plan.Publish) bool { return !w.routed(h, p) })
	}
	var all []*Published
	for some := range slices.Chunk(ports, portsTogether) {
		open, err := w.publishMany(ctx, h, some)
		if err != nil {
			return err
		}
		all = append(all, open...)
	}
	for _, some := range ranges(all) {
		line := "published: " + rangeText(some)
		if reach := some[0].Reach; reach != "" {
			line += "; " + reach
		}
		w.report(line)
	}
	return nil
}

// ranges takes ports apart into those that are one range for a person: the numbers outside follow each other, and those inside
// do as well.
func ranges(ports []*Published) (all [][]*Published) {
	for i, p := range ports {
		if i == 0 || !p.follows(ports[i-1]) {
			all = append(all, nil)
		}
		last := &all[len(all)-1]
		*last = append(*last, p)
	}
	return all
}

// follows reports whether a port goes on where another one ends.
func (p *Published) follows(before *Published) bool {
	return p.Host == before.Host && p.Outside == before.Outside && p.Proto == before.Proto && p.Reach == before.Reach &&
		p.To.Addr() == before.To.Addr() && p.HostPort == before.HostPort+1 && p.To.Port() == before.To.Port()+1
}

// rangeText returns ports that are one range as people write it: 0.0.0.0:8000-8099 -> WEB 10.2.0.2:8000-8099/tcp.
func rangeText(ports []*Published) string {
	first, last := ports[0], ports[len(ports)-1]
	if first == last {
		return first.String()
	}
	return fmt.Sprintf("%v-%d -> %s %v-%d/%s", netip.AddrPortFrom(first.Outside, first.HostPort), last.HostPort,
		first.Host, first.To, last.To.Port(), first.Proto)
}

// reach warns of a port that more can reach than people expect, or fewer.
func (w *World) reach(p *Published) string {
	switch kind := w.Plan().Uplink.Kind; {
	case p.routed && w.way != nil && w.way.onMachine:
		return fmt.Sprintf("open to this lab's other networks only: %s is routed, and uplink %s has no way in but translated ports", p.Network, kind)
	case p.routed:
		return fmt.Sprintf("open at the host's own address, to whoever has a route to %v", p.Subnet)
	case !w.way.onMachine && !p.HostIP.IsUnspecified() && p.HostIP != w.way.addr(p.v6()):
		return fmt.Sprintf("nobody reaches it: uplink %s has no listener on this machine, and is %v itself", kind, w.way.addr(p.v6()))
	case kind == plan.UplinkSim && !w.way.onMachine:
		return "reachable from inside the lab only: uplink sim has no listener on this machine"
	case w.way.onMachine && p.HostIP == netip.IPv6Unspecified():
		return "open to every machine that reaches this one ([::1]:PORT:PORT is for this one alone)"
	case w.way.onMachine && p.HostIP.IsUnspecified():
		return "open to every machine that reaches this one (127.0.0.1:PORT:PORT is for this one alone)"
	}
	return ""
}

// routed reports whether a port is on a network whose addresses the outside uses as they are.
func (w *World) routed(h *Host, p plan.Publish) bool {
	for _, c := range h.NICs {
		if c.Plan.Has(p.To.Addr()) {
			return dockerhost.Port(w.Network(c.Plan.Network).Plan, plan.Publish{To: p.To, HostPort: 1}).HostPort == 0
		}
	}
	return false
}

// takenPorts is the ports that are open, and whose. The outside reaches every port at the uplink's one address, so that a rule
// can tell them apart by number only.
type takenPorts map[takenPort]string

type takenPort struct {
	proto string
	v6    bool
	port  uint16
}

// takenPorts returns the ports that are open now.
func (w *World) takenPorts() takenPorts {
	taken := takenPorts{}
	for _, p := range w.Published() {
		taken.add(p)
	}
	return taken
}

func (t takenPorts) add(p *Published) {
	if !p.routed {
		t[takenPort{p.Proto, p.v6(), p.HostPort}] = p.Host
	}
}

// listen takes the first port of the range that can be had; without one it leaves p as it was. It needs a change that has
// begun.
func (w *World) listen(p *Published, taken takenPorts) (err error) {
	if p.routed {
		p.cleanup = w.cleanup.open()
		return nil // nothing is translated, and so nobody has to listen
	}
	for port := int(p.HostPort); port <= max(int(p.HostPort), int(p.HostPortEnd)); port++ {
		if other, ok := taken[takenPort{p.Proto, p.v6(), uint16(port)}]; ok && port != 0 {
			err = fmt.Errorf("port %d/%s is published already, for %s", port, p.Proto, other)
			continue
		}
		var had uint16
		var end func() error
		if had, end, err = w.way.listen(p.Proto, netip.AddrPortFrom(p.HostIP, uint16(port)), p.v6()); err == nil {
			p.HostPort, p.HostPortEnd, p.cleanup = had, 0, w.cleanup.open()
			p.cleanup.add(end)
			return nil
		}
	}
	return err
}

// movePorts leads the published ports that led to one address of a host to the one by which the outside reaches it now, or
// closes them if there is none. Whoever is connected through them has to begin anew.
func (w *World) movePorts(h *Host, from netip.Addr) (*Host, error) {
	to := outward(h.Plan, from.Is6())
	if to == from {
		to = netip.Addr{} // it goes, and no other takes over
	}
	var failed []error
	for _, p := range w.Published() {
		if p.Host == h.Plan.Name && p.To.Addr() == from {
			if !to.IsValid() {
				failed = append(failed, w.unpublish(p))
			} else {
				failed = append(failed, w.redirect(h, p, to))
			}
		}
	}
	labPlan := *h.Plan
	labPlan.Ports = slices.Clone(labPlan.Ports)
	for i, p := range labPlan.Ports {
		if p.To.Addr() == from {
			labPlan.Ports[i].To = netip.AddrPortFrom(to, p.To.Port())
		}
	}
	labPlan.Ports = slices.DeleteFunc(labPlan.Ports, func(p plan.Publish) bool { return !p.To.Addr().IsValid() })
	now := *h
	now.Plan = &labPlan
	w.replaceHost(h, &now)
	return &now, errors.Join(failed...)
}

// outward returns the address of a family by which the outside reaches a host.
func outward(p *plan.Host, v6 bool) netip.Addr {
	for _, i := range p.Interfaces {
		if i.Name == p.GatewayDev && v6 {
			return i.Address6.Addr()
		}
		if i.Name == p.GatewayDev {
			return i.Address.Addr()
		}
	}
	return netip.Addr{}
}

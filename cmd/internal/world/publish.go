package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/docker/host"
	"uswitch/cmd/internal/lab"
)

// Published is a port that is open to the outside.
type Published struct {
	lab.Publish
	Host    string
	Network string       // where the host is
	Subnet  netip.Prefix // of that network
	Outside netip.Addr   // where the outside finds it: HostIP, or the uplink's own address if that stands for every address
	Reach   string       // who reaches it where that surprises people: more of them than they expect, or fewer; or empty
	close   func() error
}

// String returns the port as people write it: 0.0.0.0:8080 -> WEB 10.2.0.2:80/tcp.
func (p *Published) String() string {
	return fmt.Sprintf("%v -> %s %v/%s", netip.AddrPortFrom(p.Outside, p.HostPort), p.Host, p.To, p.Proto)
}

// publishAll opens the ports of the plan.
func (w *World) publishAll(context.Context) error {
	if w.way == nil {
		return nil // package lab has warned of it
	}
	for i := range w.plan.Hosts {
		h := &w.plan.Hosts[i]
		ports := slices.Clone(h.Ports)
		if w.docker != nil { // which has an order of its own
			slices.SortStableFunc(ports, func(a, b lab.Publish) int { return host.Port(w.plan, h, a).Compare(host.Port(w.plan, h, b)) })
		}
		for _, p := range ports {
			open, err := w.Publish(h.Name, p)
			if err != nil {
				return err
			}
			line := "published: " + open.String()
			if open.Reach != "" {
				line += "; " + open.Reach
			}
			w.report(line)
		}
	}
	return nil
}

// reach warns of a port that more can reach than people expect, or fewer.
func (w *World) reach(p *Published) string {
	switch kind := w.plan.Uplink.Kind; {
	case !w.way.onMachine && p.HostIP.IsLoopback():
		return fmt.Sprintf("nobody reaches it from this machine: uplink %s has no listener there", kind)
	case kind == lab.UplinkSim:
		return "reachable from inside the lab only: uplink sim has no listener on this machine"
	case w.way.onMachine && p.HostIP.IsUnspecified():
		return "open to every machine that reaches this one (127.0.0.1:PORT:PORT is for this one alone)"
	}
	return ""
}

// ErrNotPublished is returned for a port that is not open.
var ErrNotPublished = errors.New("no such port is published")

// Publish opens a port of a host to the outside: a listener, and the rules that lead from there to the host.
func (w *World) Publish(host string, p lab.Publish) (*Published, error) {
	h := w.plan.Host(host)
	if h == nil {
		return nil, fmt.Errorf("host %s: there is no such host in lab %s", host, w.plan.Name)
	}
	if w.way == nil {
		return nil, fmt.Errorf("port %d of %s cannot be published: the lab's uplink is %s; run it with --uplink host", p.To.Port(), host, w.plan.Uplink.Kind)
	}
	open := &Published{Publish: p, Host: host, Outside: p.HostIP}
	if !w.way.onMachine && p.HostIP.IsUnspecified() {
		open.Outside = w.way.leg.Addr().Addr()
	}
	for _, i := range h.Interfaces {
		if i.Address.Addr() == p.To.Addr() {
			open.Network, open.Subnet = i.Network, i.Address.Masked()
		}
	}
	if open.Network == "" {
		return nil, fmt.Errorf("%v is no address of %s", p.To.Addr(), host)
	}
	open.Reach = w.reach(open)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.listen(open); err != nil {
		return nil, fmt.Errorf("publish %v: %w", open, err)
	}
	if err := w.openRules(open); err != nil {
		return nil, errors.Join(err, open.close())
	}
	w.published = append(w.published, open)
	w.undo.add(func() error { return w.unpublish(open) })
	return open, nil
}

// listen takes the first port of the range that can be had; without one it leaves p as it was. It needs the lock.
func (w *World) listen(p *Published) (err error) {
	for port := int(p.HostPort); port <= max(int(p.HostPort), int(p.HostPortEnd)); port++ {
		for _, other := range w.published {
			// The outside reaches every port at the uplink's one address, so that a rule can tell them apart by number only.
			if other.HostPort == uint16(port) && port != 0 && other.Proto == p.Proto {
				err = fmt.Errorf("port %d/%s is published already, for %s", port, p.Proto, other.Host)
			}
		}
		if err == nil {
			var had uint16
			var end func() error
			if had, end, err = w.way.listen(p.Proto, netip.AddrPortFrom(p.HostIP, uint16(port))); err == nil {
				p.HostPort, p.HostPortEnd, p.close = had, 0, end
				return nil
			}
		}
		if port < int(p.HostPortEnd) {
			err = nil
		}
	}
	return err
}

// Unpublish closes the port of a host that matches; connections that came through it end.
func (w *World) Unpublish(host string, p lab.Publish) error {
	for _, open := range w.Published() {
		if open.Host == host && open.Proto == p.Proto && open.To == p.To && open.HostPort == p.HostPort &&
			(open.HostIP == p.HostIP || !p.HostIP.IsValid()) {
			return w.unpublish(open)
		}
	}
	return ErrNotPublished
}

// unpublish closes a port, unless it is closed already.
func (w *World) unpublish(p *Published) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.published, p)
	if i < 0 {
		return nil
	}
	w.published = slices.Delete(w.published, i, i+1)
	err := p.close()
	w.closeRules(p)
	return err
}

// Published lists the open ports in the order in which they were opened.
func (w *World) Published() []*Published {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.published)
}

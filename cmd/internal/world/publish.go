package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/docker/rules"
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
	Wanted  lab.Publish  // what was asked for: a range of ports, of which Publish has the one that was free
	routed  bool         // the outside uses To itself: nothing listens, nothing is translated
	docker  rules.Port   // the port as dockerd knows it, while it does
	scope   *scope       // how to close the listener
}

// String returns the port as people write it: 0.0.0.0:8080 -> WEB 10.2.0.2:80/tcp.
func (p *Published) String() string {
	return fmt.Sprintf("%v -> %s %v/%s", netip.AddrPortFrom(p.Outside, p.HostPort), p.Host, p.To, p.Proto)
}

// ErrNotPublished is returned for a port that is not open.
var ErrNotPublished = errors.New("no such port is published")

// Publish opens a port of a host to the outside: a listener, and the rules that lead from there to the host.
func (w *World) Publish(host string, p lab.Publish) (*Published, error) {
	end, err := w.begin(context.Background())
	if err != nil {
		return nil, err
	}
	defer end()
	h := w.Host(host)
	if h == nil {
		return nil, fmt.Errorf("host %s: there is no such host in lab %s", host, w.Plan().Name)
	}
	return w.publish(h, p)
}

// publish is Publish for a host that is there. It needs a change that has begun.
func (w *World) publish(h *Host, p lab.Publish) (*Published, error) {
	if w.way == nil && !w.routed(h, p) {
		return nil, fmt.Errorf("port %d of %s cannot be published: the lab's uplink is %s; run it with --uplink host", p.To.Port(), h.Plan.Name, w.Plan().Uplink.Kind)
	}
	open := &Published{Publish: p, Host: h.Plan.Name, Outside: p.HostIP, Wanted: p}
	if w.way != nil && !w.way.onMachine && p.HostIP.IsUnspecified() {
		open.Outside = w.way.leg.Addr().Addr()
	}
	if !open.leadTo(h, p.To.Addr()) {
		return nil, fmt.Errorf("%v is no address of %s", p.To.Addr(), h.Plan.Name)
	}
	open.routed = w.routed(h, p)
	open.Reach = w.reach(open)
	if err := w.listen(open); err != nil {
		return nil, fmt.Errorf("publish %v: %w", open, err)
	}
	open.docker = w.dockerPort(open)
	if err := w.openRules(open); err != nil {
		return nil, open.scope.abandon(err)
	}
	w.change(func(now *picture) { now.published = with(now.published, open) })
	return open, nil
}

// leadTo makes an address of a host the port's destination; ok is false if it is none of the host's.
func (p *Published) leadTo(h *Host, a netip.Addr) (ok bool) {
	for _, c := range h.Cards {
		if c.Plan.Address.Addr() == a {
			p.Network, p.Subnet = c.Plan.Network, c.Plan.Address.Masked()
			p.To = netip.AddrPortFrom(a, p.To.Port())
			return true
		}
	}
	return false
}

// redirect leads an open port to another address of its host; the listener stays. It needs a change that has begun.
func (w *World) redirect(h *Host, p *Published, to netip.Addr) error {
	now := *p
	now.leadTo(h, to)
	if p.routed || w.routed(h, now.Publish) {
		w.report(fmt.Sprintf("%v is closed: what is open on a routed network cannot be led to another one", p))
		return w.unpublish(p)
	}
	now.Wanted.To, now.docker = now.To, w.dockerPort(&now)
	w.closeRules(p)
	if err := w.openRules(&now); err != nil {
		return errors.Join(err, w.unpublish(p))
	}
	w.change(func(next *picture) { next.published = replaced(next.published, p, &now) })
	return nil
}

// Unpublish closes the port of a host that matches; connections that came through it end.
func (w *World) Unpublish(host string, p lab.Publish) error {
	end, err := w.begin(context.Background())
	if err != nil {
		return err
	}
	defer end()
	for _, open := range w.Published() {
		if open.Host == host && open.Proto == p.Proto && open.To == p.To && open.HostPort == p.HostPort &&
			(open.HostIP == p.HostIP || !p.HostIP.IsValid()) {
			return w.unpublish(open)
		}
	}
	return ErrNotPublished
}

// unpublish closes a port that is open. It needs a change that has begun.
func (w *World) unpublish(p *Published) error {
	w.change(func(now *picture) { now.published = without(now.published, p) })
	err := p.scope.unmake()
	w.closeRules(p)
	return err
}

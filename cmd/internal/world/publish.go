package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat"
	"uswitch/switch/frame"
)

// Published is a port that is open to the outside.
type Published struct {
	plan.Publish
	Host    string
	Network string        // where the host is
	Subnet  netip.Prefix  // of that network
	Outside netip.Addr    // where the outside finds it: HostIP, or the uplink's own address if that stands for every address
	Reach   string        // who reaches it where that surprises people: more of them than they expect, or fewer; or empty
	Wanted  plan.Publish  // what was asked for: a range of ports, of which Publish has the one that was free
	routed  bool          // the outside uses To itself: nothing listens, nothing is translated
	docker  firewall.Port // the port as dockerd knows it, while it does
	cleanup *cleanup      // how to close the listener
}

// String returns the port as people write it: 0.0.0.0:8080 -> WEB 10.2.0.2:80/tcp.
func (p *Published) String() string {
	return fmt.Sprintf("%v -> %s %v/%s", netip.AddrPortFrom(p.Outside, p.HostPort), p.Host, p.To, p.Proto)
}

// ErrNotPublished is returned for a port that is not open.
var ErrNotPublished = errors.New("no such port is published")

// Publish opens a port of a host to the outside: a listener, and the rules that lead from there to the host.
func (w *World) Publish(host string, p plan.Publish) (*Published, error) {
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
func (w *World) publish(h *Host, p plan.Publish) (*Published, error) {
	open, err := w.publishMany(context.Background(), h, []plan.Publish{p})
	if err != nil {
		return nil, err
	}
	return open[0], nil
}

// publishMany opens ports of a host, all of them or, after an error or when ctx ends, none. All at once they are a change of the
// rules and a snapshot; one after the other they would be as many, each as long as those before it together. It needs a change
// that has begun.
func (w *World) publishMany(ctx context.Context, h *Host, ports []plan.Publish) (all []*Published, err error) {
	defer func() {
		if err != nil {
			all, err = nil, errors.Join(err, closeListeners(all))
		}
	}()
	taken := w.takenPorts()
	for i, p := range ports {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		wanted := p
		if i > 0 && secondFamily(ports[i-1], p) { // which has the number that the first one got
			p.HostPort, p.HostPortEnd = all[i-1].HostPort, 0
		}
		open, err := w.beginPublished(h, p, taken)
		if err != nil {
			return all, err
		}
		open.Wanted = wanted
		all = append(all, open)
	}
	if err := w.openRules(all...); err != nil {
		return all, err
	}
	w.change(func(now *snapshot) { now.published = with(now.published, all...) })
	return all, nil
}

// beginPublished opens a port's listener, and enters it among those that are taken.
func (w *World) beginPublished(h *Host, p plan.Publish, taken takenPorts) (*Published, error) {
	if w.way == nil && !w.routed(h, p) {
		return nil, fmt.Errorf("port %d of %s cannot be published: the lab's uplink is %s; run it with --uplink host", p.To.Port(), h.Plan.Name, w.Plan().Uplink.Kind)
	}
	open := &Published{Publish: p, Host: h.Plan.Name, Outside: p.HostIP, Wanted: p}
	if w.way != nil && !w.way.onMachine && p.HostIP.Is6() && !w.routed(h, p) && (!w.way.six.IsValid() || !open.v6()) {
		return nil, fmt.Errorf("port %d of %s cannot be published at %v: uplink %s leads there in IPv4 alone", p.To.Port(), h.Plan.Name, p.HostIP, w.Plan().Uplink.Kind)
	}
	if w.way != nil && !w.way.onMachine && p.HostIP.IsUnspecified() {
		open.Outside = w.way.addr(open.v6())
	}
	if !open.leadTo(h, p.To.Addr()) {
		return nil, fmt.Errorf("%v is no address of %s", p.To.Addr(), h.Plan.Name)
	}
	open.routed = w.routed(h, p)
	open.Reach = w.reach(open)
	if err := w.listen(open, taken); err != nil {
		return nil, fmt.Errorf("publish %v: %w", open, err)
	}
	open.docker = w.dockerPort(open)
	taken.add(open)
	return open, nil
}

// secondFamily reports whether a port is another one once more, for all addresses of IPv6.
func secondFamily(first, p plan.Publish) bool {
	return first.HostIP == netip.IPv4Unspecified() && p.HostIP == netip.IPv6Unspecified() && first.Proto == p.Proto &&
		first.To.Port() == p.To.Port() && first.HostPort == p.HostPort && first.HostPortEnd == p.HostPortEnd
}

// v6 reports whether the port leads to an address of IPv6.
func (p *Published) v6() bool { return p.To.Addr().Is6() }

// closeListeners closes what the outside reaches of ports.
func closeListeners(all []*Published) error {
	var failed []error
	for _, p := range all {
		failed = append(failed, p.cleanup.unmake())
	}
	return errors.Join(failed...)
}

// leadTo makes an address of a host the port's destination; ok is false if it is none of the host's.
func (p *Published) leadTo(h *Host, a netip.Addr) (ok bool) {
	for _, c := range h.NICs {
		if c.Plan.Has(a) {
			p.Network, p.Subnet = c.Plan.Network, c.Plan.Address.Masked()
			if a.Is6() {
				p.Subnet = c.Plan.Address6.Masked()
			}
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
	w.change(func(next *snapshot) { next.published = replaced(next.published, p, &now) })
	return nil
}

// Unpublish closes the port of a host that matches; connections that came through it end.
func (w *World) Unpublish(host string, p plan.Publish) error {
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

// unpublish closes ports that are open. It needs a change that has begun.
func (w *World) unpublish(ports ...*Published) error {
	if len(ports) == 0 {
		return nil
	}
	w.change(func(now *snapshot) { now.published = without(now.published, ports...) })
	err := closeListeners(ports)
	w.forgetClients(ports)
	w.closeRules(ports...)
	return err
}

// forgetClients forgets the connections that came in by ports of UDP, which has no end of its own.
func (w *World) forgetClients(ports []*Published) {
	closed := map[uint16]bool{}
	for _, p := range ports {
		if p.Proto == "udp" && !p.routed && w.way.onMachine {
			closed[p.HostPort] = true
		}
	}
	if len(closed) > 0 {
		w.gateway.DropConns(func(c nat.Conn) bool {
			return c.DNAT && c.Original.Proto == frame.ProtoUDP && closed[c.Original.DstPort]
		}, w.Now())
	}
}

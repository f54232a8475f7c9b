package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/nat"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// plug makes an interface and gives it to a host that is up. It needs a change that has begun.
func (w *World) plug(h *Host, p *plan.Interface) (*Host, error) {
	nic, err := w.makeNIC(h, p)
	if err != nil {
		return nil, hostError(h, err)
	}
	if err = w.attach(h, nic); err == nil {
		err = w.join(h, nic)
	}
	if err != nil {
		return nil, nic.cleanup.abandon(hostError(h, err))
	}
	now := h.withNIC(nic)
	w.replaceHost(h, now)
	return now, nil
}

// unplug takes an interface from a host that is up, and the default route with it if that leads through it. It needs a change that
// has begun.
func (w *World) unplug(h *Host, nic *NIC) (*Host, error) {
	w.leave(nic)
	now := h.withoutNIC(nic)
	if now.Plan.GatewayDev == nic.Plan.Name {
		now.Plan = routed(now.Plan, netip.Addr{}, "")
	}
	err := nic.cleanup.unmake()
	w.replaceHost(h, now)
	w.forgetHost(w.Network(nic.Plan.Network), nic.Plan)
	return now, hostError(h, err)
}

// setRoute points a host's default route at a gateway, through one of its interfaces, or takes it away. It needs a change that has
// begun.
func (w *World) setRoute(h *Host, gateway netip.Addr, dev string) (*Host, error) {
	through := dev
	if !gateway.IsValid() {
		through = h.Plan.GatewayDev
	}
	for _, c := range h.NICs {
		if c.Plan.Name == through {
			if err := c.device.SetGateway(gateway); err != nil {
				return nil, hostError(h, err)
			}
		}
	}
	now := *h
	now.Plan = routed(h.Plan, gateway, dev)
	w.replaceHost(h, &now)
	return &now, nil
}

// routed returns a host's plan with another default route.
func routed(p *plan.Host, gateway netip.Addr, dev string) *plan.Host {
	now := *p
	now.Gateway, now.GatewayDev = gateway, dev
	return &now
}

func (w *World) replaceHost(old, now *Host) {
	w.change(func(p *snapshot) { p.hosts = replaced(p.hosts, old, now) })
	w.renewFiles(now)
}

// replug makes an interface anew whose cable is out of the switch, as it was, with its routes and its published ports. It needs a
// change that has begun.
func (w *World) replug(ctx context.Context, host string, nic *NIC) error {
	now := w.now.Load()
	c := &applyPlan{World: w, old: now.plan, now: now.plan, filed: now.filed,
		out: func(_ string, other *NIC) bool { return other.cable == nic.cable }}
	c.build()
	_, err := w.take(ctx, c.moves)
	if err == nil {
		w.report(fmt.Sprintf("%s: plugged in again", host))
	}
	return err
}

// carry runs the port until it is unplugged, and says so if nobody asked for it. What a fault has unplugged comes back after a
// pause, unless somebody has plugged it in, or taken it away, before that.
func (w *World) carry(host string, nic *NIC, closing <-chan struct{}) {
	err := nic.Port.Run()
	if err == nil {
		return
	}
	why := err.Error()
	nic.unplugged.Store(&why)
	if !errors.Is(err, vswitch.ErrFault) {
		w.report(fmt.Sprintf("%s: unplugged: %s", host, why))
		return
	}
	w.report(fmt.Sprintf("%s: unplugged, and plugged in again in %v: %s", host, faultPause, why))
	w.ports.Go(func() {
		select {
		case <-closing:
		case <-time.After(faultPause):
			w.comeBack(host, nic, closing)
		}
	})
}

// comeBack is replug as a change of its own.
func (w *World) comeBack(host string, nic *NIC, closing <-chan struct{}) {
	for !w.changing.TryLock() { // Down has it, and waits for this
		select {
		case <-closing:
			return
		case <-time.After(faultPause / 100):
		}
	}
	defer w.changing.Unlock()
	select {
	case <-closing:
		return
	default:
	}
	if !w.up {
		return
	}
	if err := w.replug(context.Background(), host, nic); err != nil {
		w.report(fmt.Sprintf("%s: %v; `uswitch set port %s up=on` tries again", host, err, host))
	}
}

// faultPause is how long what a fault has taken out of use stays so.
const faultPause = time.Second

// faults tells of panics that were contained: of the first at once, with its stack, and from then on of no more than one in
// faultsEvery, with the number of those that nobody was told of.
type faults struct {
	say func(string)
	now func() time.Time

	mu         sync.Mutex // guards what follows
	told       time.Time
	suppressed int
}

const faultsEvery = 10 * time.Second

// tell may be called from any goroutine, whatever lock that holds, and does not wait for whoever reads.
func (f *faults) tell(err error) {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.told.IsZero() && now.Sub(f.told) < faultsEvery {
		f.suppressed++
		return
	}
	line := fmt.Sprintf("a fault in uswitch itself, which the lab goes on without: %v", err)
	if f.suppressed > 0 {
		line = fmt.Sprintf("%d more faults like the last one; %s", f.suppressed, line)
	}
	f.told, f.suppressed = now, 0
	go f.say(line)
}

// former are the interfaces that have left a network, by their addresses. Neighbours go on believing for a while that an address is
// where it was: who takes it over with another MAC must tell them, as dockerd does from Docker 28 on.
type former struct {
	mu   sync.Mutex // guards what follows
	macs map[netip.Addr]frame.MAC
}

// note remembers an interface that leaves.
func (f *former) note(nic *plan.Interface) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.macs[nic.Address.Addr()] = nic.MAC
}

// other reports whether an interface comes with an address that was at another MAC.
func (f *former) other(nic *plan.Interface) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, known := f.macs[nic.Address.Addr()]
	return known && before != nic.MAC
}

// forgetHost makes the gateway forget what it knows of the address of an interface that has left a network: how to reach it, and the
// connections that it had. Who gets the address next begins anew.
func (w *World) forgetHost(n *Network, nic *plan.Interface) {
	a := nic.Address.Addr()
	if n == nil || !a.IsValid() {
		return
	}
	n.former.note(nic)
	if n.Interface != nil {
		n.Interface.RemoveNeighbor(a, w.Now())
	}
	w.forgetConns(netip.PrefixFrom(a, a.BitLen()))
}

// forgetConns forgets the connections that have an end in a prefix.
func (w *World) forgetConns(p netip.Prefix) {
	inside := func(t frame.Tuple) bool {
		return p.Contains(t.Src()) || p.Contains(t.Dst())
	}
	w.gateway.DropConns(func(c nat.Conn) bool { return inside(c.Original) || inside(c.Reply) }, w.Now())
}

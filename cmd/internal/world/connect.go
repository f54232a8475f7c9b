package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/plan"
)

// Connect puts a host onto a further network. What plan leaves zero is chosen (plan.Plan.FillInterface): it needs no more
// than the network's name. The default route moves there if Docker's would (plan.Plan.ChooseGateway), and with it the ports that
// are published.
func (w *World) Connect(ctx context.Context, host string, p plan.Interface) error {
	h, end, err := w.beginOn(ctx, host)
	if err != nil {
		return err
	}
	defer end()
	if err := w.Plan().FillInterface(h.Plan, &p); err != nil {
		return err
	}
	if err := w.Plan().VerifyInterface(h.Plan, &p); err != nil {
		return err
	}
	h, err = w.plug(h, &p)
	if err != nil {
		return err
	}
	chosen, from, from6 := *h.Plan, outward(h.Plan, false), outward(h.Plan, true)
	w.Plan().ChooseGateway(&chosen)
	if chosen.GatewayDev != p.Name {
		return nil
	}
	routed, err := w.setRoute(h, chosen.Gateway, chosen.GatewayDev)
	if err != nil {
		_, undone := w.unplug(h, h.nic(p.Network))
		return errors.Join(err, undone)
	}
	for _, a := range []netip.Addr{from, from6} {
		if a.IsValid() && err == nil {
			routed, err = w.movePorts(routed, a)
		}
	}
	return err
}

// Disconnect takes a host off a network. If its default route leads there, another of its networks takes it over, and with it the ports that are published; a host that is on no other network with a way out has neither.
func (w *World) Disconnect(host, network string) error {
	h, end, err := w.beginOn(context.Background(), host)
	if err != nil {
		return err
	}
	defer end()
	n, err := w.findNetwork(network)
	if err != nil {
		return err
	}
	nic := h.nic(n.Plan.Name)
	if nic == nil {
		return fmt.Errorf("host %s is not on network %s", host, network)
	}
	if h, err = w.handOver(h, nic); err != nil {
		return err
	}
	_, err = w.unplug(h, nic)
	return err
}

// handOver gives another interface of the host what the outside has to do with this one.
func (w *World) handOver(h *Host, nic *NIC) (*Host, error) {
	other := *h.withoutNIC(nic).Plan
	w.Plan().ChooseGateway(&other)
	if other.Gateway.IsValid() && h.Plan.GatewayDev == nic.Plan.Name {
		var err error
		if h, err = w.setRoute(h, other.Gateway, other.GatewayDev); err != nil {
			return nil, err
		}
	}
	h, err := w.movePorts(h, nic.Plan.Address.Addr())
	if six := nic.Plan.Address6.Addr(); err == nil && six.IsValid() {
		return w.movePorts(h, six)
	}
	return h, err
}

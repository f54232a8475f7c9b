package world

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/firewall"
	"uswitch/nat"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// AddNetwork adds a network: its switch, the gateway's interface on it, and the rules that every generated ruleset has for a
// network. What plan leaves zero of its addresses is chosen (plan.Plan.FillNetwork).
func (w *World) AddNetwork(ctx context.Context, p plan.Network) error {
	end, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	taken := w.taken()
	if w.way != nil {
		taken = with(taken, w.way.iface.Addr().Masked())
	}
	if err := w.Plan().FillNetwork(&p, taken); err != nil {
		return err
	}
	if err := w.Plan().VerifyNetwork(&p); err != nil {
		return err
	}
	return w.addNetwork(&p)
}

// addNetwork is AddNetwork for a plan that is complete and right. It needs a change that has begun.
func (w *World) addNetwork(labPlan *plan.Network) error {
	n := w.newNetwork(labPlan)
	n.cleanup = w.cleanup.open()
	err := w.connectGateway(n)
	if err == nil {
		err = w.addTunnel(n)
	}
	if err != nil {
		return n.cleanup.abandon(err)
	}
	if err := w.openNetwork(n); err != nil {
		return n.cleanup.abandon(fmt.Errorf("network %s: %w", labPlan.Name, err))
	}
	w.change(func(p *snapshot) { p.networks = with(p.networks, n) })
	return nil
}

// RemoveNetwork removes a network that no host is on, with its rules and the connections that are known of it.
func (w *World) RemoveNetwork(name string) error {
	end, err := w.begin(context.Background())
	if err != nil {
		return err
	}
	defer end()
	n, err := w.findNetwork(name)
	if err != nil {
		return err
	}
	if on := w.hostsOn(n.Plan.Name); len(on) > 0 {
		// The first half is Docker's own sentence.
		return fmt.Errorf("network %s has active endpoints: %s: disconnect them first", name, strings.Join(on, ", "))
	}
	return w.removeNetwork(n)
}

// removeNetwork is RemoveNetwork for one that nobody is on. It needs a change that has begun.
func (w *World) removeNetwork(n *Network) error {
	w.closeNetwork(n)
	w.change(func(p *snapshot) { p.networks = without(p.networks, n) })
	err := n.cleanup.unmake()
	w.forgetConns(n.Plan.Subnet)
	return err
}

// hostsOn names the hosts that are on a network.
func (w *World) hostsOn(network string) (names []string) {
	for _, h := range w.Hosts() {
		if slices.ContainsFunc(h.NICs, func(c *NIC) bool { return c.Plan.Network == network }) {
			names = append(names, h.Plan.Name)
		}
	}
	return names
}

// Network is a switch and the gateway's interface on it, as they are at one moment: a change makes a new Network.
type Network struct {
	Plan      *plan.Network
	Switch    *vswitch.Switch
	Interface *nat.Interface // nil before Up, and where the gateway is not on the network
	Tunnel    *Tunnel        // to other machines; nil before Up, and where the network is on this one only
	kept      netip.Prefix   // the address that the gateway has there again when the device is up
	cleanup   *cleanup       // how to unmake the interface; nil before Up
	former    *former        // the same as long as the network is there
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
	_ = n.Switch.SetGroupForward(uint16(p.GroupFwdMask)) // package plan has checked it
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

// advertOf is what the gateway tells hosts of a network that configure themselves; nil: nothing. Where the gateway leads out it
// is a router for half an hour at a time (RFC 4861 6.2.1).
func advertOf(n *plan.Network) *frame.RouterAdvert {
	if !n.IPv6.Advertises() {
		return nil
	}
	a := &frame.RouterAdvert{HopLimit: 64, Other: n.IPv6.RA == plan.RAOther, MTU: uint32(n.MTU), Prefixes: []frame.AdvertPrefix{{
		Prefix: n.IPv6.Subnet, OnLink: true, Autonomous: n.IPv6.Subnet.Bits() == 64, Valid: 24 * time.Hour, Preferred: 4 * time.Hour}}}
	if !n.Internal {
		a.Lifetime = 30 * time.Minute
	}
	return a
}

// connectGateways puts the gateway onto every network of the plan.
func (w *World) connectGateways(context.Context) error {
	for _, n := range w.Networks() {
		now := *n
		now.cleanup = w.cleanup.open()
		err := w.connectGateway(&now)
		if err == nil {
			err = w.addTunnel(&now)
		}
		if err != nil {
			return err
		}
		w.change(func(p *snapshot) { p.networks = replaced(p.networks, n, &now) })
	}
	return nil
}

// connectGateway puts the gateway onto a network that no snapshot shows yet, unless it is to stay off it.
func (w *World) connectGateway(n *Network) error {
	if !n.Plan.Gateway.IsValid() && !n.Plan.NoAddress || n.Plan.GatewayMode == string(firewall.Isolated) {
		return nil // nor is it in IPv6
	}
	if w.way != nil && w.way.standIn.IsValid() && n.Plan.Subnet.Contains(w.way.standIn) {
		return fmt.Errorf("network %s is %v, in which %v stands for this machine: give it another subnet", n.Plan.Name, n.Plan.Subnet, w.way.standIn)
	}
	config := nat.InterfaceConfig{Name: n.Plan.Name, Addr: n.Plan.Gateway, MAC: n.Plan.GatewayMAC, MTU: n.Plan.MTU, Segment: n.Switch}
	if n.Plan.NoAddress {
		config.Addr = netip.Prefix{}
	}
	if six := n.Plan.IPv6; six != nil && six.Gateway.IsValid() {
		config.V6, config.Advert = []netip.Prefix{six.Gateway}, advertOf(n.Plan)
	}
	iface, err := w.gateway.Add(config, w.Now())
	if err != nil {
		return err
	}
	n.cleanup.add(func() error {
		w.gateway.Remove(iface)
		return nil
	})
	n.Interface = iface
	n.Switch.SetLocal(iface.MAC(), iface)
	if len(config.V6) > 0 {
		return w.openWayOut6()
	}
	return nil
}

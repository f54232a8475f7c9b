package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/plan"
	"uswitch/nat"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
)

// DeviceChange is what `ip link set` asks of a device. What is nil or zero stays.
type DeviceChange struct {
	Up     *bool
	Master *string // the bridge to plug it into; empty: none
	Name   string
	MAC    frame.MAC
	MTU    int
	Host   *string // the namespace to move it to
	From   string  // the namespace that it is in; empty: the machine's
}

// SetDevice changes a device of the machine, or moves one between it and namespaces.
func (w *World) SetDevice(ctx context.Context, name string, c DeviceChange) error {
	end, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	w.forgetGone()
	if c.From != "" {
		return w.moveOut(c.From, name, *c.Host)
	}
	if name == "lo" || name == w.uplinkName() {
		return errUnsupported
	}
	d := w.find(name)
	if d == nil {
		return errNoDevice
	}
	if c.Host != nil {
		return w.moveIn(d, name, *c.Host)
	}
	steps := []struct {
		wanted bool
		do     func(*device) error
	}{
		{c.Name != "" && c.Name != name, func(d *device) error { return w.rename(d, name, c.Name) }},
		{c.MAC != frame.MAC{}, func(d *device) error { return w.setMAC(d, c.MAC) }},
		{c.MTU != 0, func(d *device) error { return w.setMTU(d, c.MTU) }},
		{c.Master != nil, func(d *device) error { return w.plugInto(d, *c.Master) }},
		{c.Up != nil, func(d *device) error { return w.setUp(d, *c.Up) }},
	}
	for _, s := range steps {
		if !s.wanted {
			continue
		}
		if err := s.do(d); err != nil {
			return err
		}
		if c.Name != "" {
			name = c.Name
		}
		d = w.find(name)
	}
	return nil
}

// plugInto puts a device on a bridge, or takes it off the one that it is on.
func (w *World) plugInto(d *device, master string) error {
	if master == "" {
		if !d.port() {
			return nil
		}
		return w.setMaster(d, nil)
	}
	n := w.Network(master)
	switch {
	case n == nil || n.Plan.Kind == plan.KindCable:
		return errNoDevice
	case n.Plan.Kind == plan.KindInterface:
		return errUnsupported
	case d.nic == nil && d.cable == nil && d.network == n:
		return errInvalid
	case d.nic == nil && d.cable == nil && d.network.Plan.Kind != plan.KindInterface:
		return KernelError("Error: Can not enslave a bridge to a bridge.")
	case d.nic == nil && d.cable == nil:
		return errUnsupported
	case d.network == n:
		return nil
	}
	return w.setMaster(d, n)
}

// setMaster moves a port to a bridge; nil: it becomes an interface of its own.
func (w *World) setMaster(d *device, to *Network) error {
	from, alone := d.network, to == nil
	down := d.down()
	if alone {
		e := End{Name: d.name(w), MAC: d.mac(w), MTU: d.mtu()}
		if _, err := w.addInterface(e); err != nil {
			return err
		}
		to = w.Network(e.Name)
		if !down {
			if err := w.setNetworkUp(to, true); err != nil {
				return err
			}
			to = w.Network(e.Name)
		}
	}
	if err := w.replugTo(d, from, to, down); err != nil {
		return err
	}
	if from.Plan.Kind == plan.KindInterface {
		return w.removeNetwork(w.Network(from.Plan.Name))
	}
	return nil
}

// replugTo moves the port of a device from one network to another.
func (w *World) replugTo(d *device, from, to *Network, down bool) error {
	if d.nic != nil {
		p := *d.nic.Plan
		p.Network, p.Down, p.Port = to.Plan.Name, down, to.Plan.Port
		port, err := from.Switch.Replug(d.nic.Port, to.Switch, portName(to.Switch, d.host, &p), to.portFlags(&p))
		if err != nil {
			return err
		}
		now := &NIC{Plan: &p, Port: port, cable: d.nic.cable}
		now.at(port)
		h := *w.Host(d.host.Plan.Name)
		h.NICs = replaced(h.NICs, d.nic, now)
		w.replaceHost(w.Host(d.host.Plan.Name), h.planned())
		return nil
	}
	c := *d.cable
	p := *c.Plan
	end := []*plan.CableEnd{&p.A, &p.B}[d.end]
	end.Network, end.Down = to.Plan.Name, down
	port, err := from.Switch.Replug(c.Ports[d.end], to.Switch, end.Name, to.endFlags(end))
	if err != nil {
		return err
	}
	c.Plan, c.Ports[d.end] = &p, port
	w.change(func(now *snapshot) { now.cables = replaced(now.cables, d.cable, &c) })
	return nil
}

// name returns what the near end is called.
func (d *device) name(w *World) string {
	if d.nic != nil {
		name, _ := w.nearEnd(d.host, d.nic)
		return name
	}
	return d.cable.Plan.Ends()[d.end].Name
}

func (d *device) mac(w *World) frame.MAC {
	if d.nic != nil {
		_, mac := w.nearEnd(d.host, d.nic)
		return mac
	}
	return d.cable.Plan.Ends()[d.end].MAC
}

func (d *device) mtu() int {
	if d.nic != nil {
		return d.nic.Port.Flags().MTU
	}
	return d.cable.Plan.Ends()[d.end].MTU
}

// down reports whether the device itself is down, whatever its bridge is.
func (d *device) down() bool {
	switch {
	case d.network.Plan.Kind == plan.KindInterface || d.nic == nil && d.cable == nil:
		return d.network.Plan.Down
	case d.nic != nil:
		return d.nic.Plan.Down
	}
	return d.cable.Plan.Ends()[d.end].Down
}

// setUp brings a device up, or takes it down.
func (w *World) setUp(d *device, up bool) error {
	if !d.port() {
		return w.setNetworkUp(d.network, up)
	}
	if d.nic != nil {
		p := *d.nic.Plan
		p.Down, p.Raised = !up, p.Raised || up
		now := &NIC{Plan: &p, Port: d.nic.Port, cable: d.nic.cable}
		d.network.Switch.SetFlags(now.Port, withDown(now.Port.Flags(), !up || d.network.Plan.Down))
		h := *d.host
		h.NICs = replaced(h.NICs, d.nic, now)
		w.replaceHost(d.host, h.planned())
		return nil
	}
	w.replanEnd(d, func(e *plan.CableEnd) { e.Down, e.Raised = !up, e.Raised || up })
	return nil
}

// replanEnd changes an end of a cable between switches, and has its port follow.
func (w *World) replanEnd(d *device, change func(*plan.CableEnd)) {
	c := *d.cable
	p := *c.Plan
	c.Plan = &p
	end := []*plan.CableEnd{&p.A, &p.B}[d.end]
	change(end)
	d.network.Switch.SetFlags(c.Ports[d.end], d.network.endFlags(end))
	w.change(func(now *snapshot) { now.cables = replaced(now.cables, d.cable, &c) })
}

// setNetworkUp brings a bridge or an interface up, or takes it down: its ports carry nothing then, and the gateway has no route there.
func (w *World) setNetworkUp(n *Network, up bool) error {
	if n.Plan.Down != up {
		return nil
	}
	p, now := *n.Plan, *n
	p.Down, p.Raised = !up, p.Raised || up
	now.Plan = &p
	if now.Interface != nil && !up {
		now.kept = now.Interface.Addr()
		if err := w.gateway.SetAddr(now.Interface, netip.Prefix{}, w.Now()); err != nil {
			return err
		}
	}
	if now.Interface != nil && up && now.kept.IsValid() {
		if err := w.gateway.SetAddr(now.Interface, now.kept, w.Now()); err != nil {
			return err
		}
		now.kept = netip.Prefix{}
	}
	w.change(func(all *snapshot) { all.networks = replaced(all.networks, n, &now) })
	for _, h := range w.Hosts() {
		for _, c := range h.NICs {
			if c.Plan.Network == p.Name && c.Port != nil {
				now.Switch.SetFlags(c.Port, withDown(c.Port.Flags(), !up || c.Plan.Down && p.Kind != plan.KindInterface))
			}
		}
	}
	for _, c := range w.Cables() {
		for i, end := range c.Plan.Ends() {
			if end.Network == p.Name {
				now.Switch.SetFlags(c.Ports[i], withDown(c.Ports[i].Flags(), !up || end.Down && p.Kind != plan.KindInterface))
			}
		}
	}
	return nil
}

// SetAddress gives the gateway an address on a network or by an interface, which is there once that is up; the zero Prefix takes the
// one away that it has.
func (w *World) SetAddress(dev string, addr netip.Prefix) error {
	end, err := w.begin(context.Background())
	if err != nil {
		return err
	}
	defer end()
	n := w.Network(dev)
	if n == nil || n.Interface == nil {
		return errUnsupported
	}
	if !n.Plan.Down {
		return w.gateway.SetAddr(n.Interface, addr, w.Now())
	}
	now := *n
	now.kept = addr
	w.change(func(p *snapshot) { p.networks = replaced(p.networks, n, &now) })
	return nil
}

// setMAC gives a device another address.
func (w *World) setMAC(d *device, mac frame.MAC) error {
	switch {
	case !mac.IsStation():
		return KernelError("RTNETLINK answers: Cannot assign requested address")
	case d.port() && d.nic != nil:
		w.replanNIC(d, func(p *plan.Interface) { p.VethMAC = mac })
		return nil
	case d.port():
		w.replanEnd(d, func(e *plan.CableEnd) { e.MAC = mac })
		return nil
	}
	return w.reshape(d, func(p *plan.Network) { p.GatewayMAC = mac })
}

// setMTU gives a device another MTU.
func (w *World) setMTU(d *device, mtu int) error {
	switch {
	case mtu < 68:
		return KernelError("Error: mtu less than device minimum.")
	case mtu > 65535:
		return KernelError("Error: mtu greater than device maximum.")
	case d.port() && d.nic != nil:
		w.replanNIC(d, func(p *plan.Interface) { p.MTU = mtu })
		return nil
	case d.port():
		w.replanEnd(d, func(e *plan.CableEnd) { e.MTU = mtu })
		return nil
	}
	return w.reshape(d, func(p *plan.Network) { p.MTU = mtu })
}

// replanNIC changes what the plan says of a port that is an interface's.
func (w *World) replanNIC(d *device, change func(*plan.Interface)) {
	p := *d.nic.Plan
	change(&p)
	now := &NIC{Plan: &p, Port: d.nic.Port, cable: d.nic.cable}
	d.network.Switch.SetFlags(now.Port, d.network.portFlags(&p))
	h := *d.host
	h.NICs = replaced(h.NICs, d.nic, now)
	w.replaceHost(d.host, h.planned())
}

// reshape puts the gateway anew onto a network with another address or size; its address there, and the ports, stay. A near end that
// is an interface has its own part of the cable follow.
func (w *World) reshape(d *device, change func(*plan.Network)) error {
	n := d.network
	p, now := *n.Plan, *n
	change(&p)
	now.Plan = &p
	if n.Interface == nil {
		return errUnsupported
	}
	address := n.Interface.Addr()
	w.gateway.Remove(n.Interface)
	iface, err := w.gateway.Add(nat.InterfaceConfig{Name: p.Name, Addr: address, MAC: p.GatewayMAC, MTU: p.MTU, Segment: n.Switch}, w.Now())
	if err != nil {
		return err
	}
	now.cleanup.add(func() error { w.gateway.Remove(iface); return nil })
	now.Interface = iface
	n.Switch.SetLocal(iface.MAC(), iface)
	w.change(func(all *snapshot) { all.networks = replaced(all.networks, n, &now) })
	d.network = &now
	switch {
	case d.nic != nil:
		w.replanNIC(d, func(i *plan.Interface) { i.MTU, i.VethMAC = p.MTU, p.GatewayMAC })
	case d.cable != nil:
		w.replanEnd(d, func(e *plan.CableEnd) { e.MTU, e.MAC = p.MTU, p.GatewayMAC })
	}
	return nil
}

// rename gives a device another name. One that is up keeps its name, as the kernel has it.
func (w *World) rename(d *device, old, name string) error {
	switch {
	case !w.free(name):
		return errExists
	case d.nic == nil && d.cable == nil && d.network.Plan.Docked():
		return errUnsupported
	case d.port() && d.nic != nil:
		w.replanNIC(d, func(p *plan.Interface) { p.Veth, p.VethMAC = name, d.mac(w) })
		return nil
	case d.port():
		w.replanEnd(d, func(e *plan.CableEnd) { e.Name = name })
		return nil
	}
	return w.renameNetwork(d, old, name)
}

// renameNetwork makes a bridge or an interface anew under another name, and moves there what is plugged in.
func (w *World) renameNetwork(d *device, old, name string) error {
	n := d.network
	p := *n.Plan
	p.Name, p.Docker = name, w.Plan().Name+"_"+name
	if err := w.addNetwork(&p); err != nil {
		return err
	}
	to := w.Network(name)
	if n.kept.IsValid() {
		now := *to
		now.kept = n.kept
		w.change(func(all *snapshot) { all.networks = replaced(all.networks, to, &now) })
		to = &now
	}
	for _, port := range w.portsOf(n) {
		one := w.find(port)
		if one.nic != nil && port == old {
			w.replanNIC(one, func(i *plan.Interface) { i.Veth, i.VethMAC = name, p.GatewayMAC })
			one = w.find(name)
			one.network = n
		} else if one.cable != nil && port == old {
			w.replanEnd(one, func(e *plan.CableEnd) { e.Name = name })
			one = w.find(name)
			one.network = n
		}
		if err := w.replugTo(one, n, to, one.down()); err != nil {
			return err
		}
	}
	return w.removeNetwork(w.Network(old))
}

// moveIn moves a device of the machine into a namespace.
func (w *World) moveIn(d *device, name, host string) error {
	h := w.Host(host)
	switch {
	case h == nil:
		return w.noHost(host)
	case d.nic == nil && d.cable == nil:
		return errInvalid
	}
	e := End{Name: name, Host: host, MAC: d.mac(w), MTU: d.mtu()}
	if d.cable != nil { // the other end is on the machine, and stays where it is
		other := d.cable.Plan.Ends()[1-d.end]
		mine, theirs := w.Network(d.cable.Plan.Ends()[d.end].Network), w.Network(other.Network)
		for i := range d.cable.Ports {
			if err := d.cable.Ports[i].Switch().Detach(d.cable.Ports[i]); err != nil {
				return err
			}
		}
		w.change(func(p *snapshot) { p.cables = without(p.cables, d.cable) })
		if mine.Plan.Kind == plan.KindInterface {
			if err := w.removeNetwork(mine); err != nil {
				return err
			}
		}
		if err := w.addNIC(h, e, theirs.Plan.Name, other.Name, other.MAC); err != nil {
			return err
		}
		if theirs.Plan.Kind != plan.KindInterface {
			return w.setUp(w.find(other.Name), !other.Down)
		}
		return nil
	}
	between, err := w.addBetween()
	if err != nil {
		return err
	}
	if err := w.addNIC(h, e, between, "", frame.MAC{}); err != nil {
		return errors.Join(err, w.removeNetwork(w.Network(between)))
	}
	from := d.network
	d.host = w.Host(d.host.Plan.Name)
	if err := w.replugTo(d, from, w.Network(between), false); err != nil {
		return err
	}
	if from.Plan.Kind == plan.KindInterface {
		return w.removeNetwork(w.Network(from.Plan.Name))
	}
	return nil
}

// moveOut moves an interface from a namespace to another one, or to the machine (host is empty then).
func (w *World) moveOut(from, name, host string) error {
	h := w.Host(from)
	if h == nil {
		return w.noHost(from)
	}
	var nic *NIC
	for _, c := range h.NICs {
		if s, err := c.device.State(); err == nil && s.Name == name {
			nic = c
		}
	}
	if nic == nil {
		return KernelError(fmt.Sprintf("Cannot find device %q", name))
	}
	state, err := nic.device.State()
	if err != nil {
		return err
	}
	e := End{Name: name, Host: host, MAC: state.MAC, MTU: state.MTU}
	n := w.Network(nic.Plan.Network)
	near, nearMAC := nic.Plan.Veth, nic.Plan.VethMAC
	down := nic.Plan.Down
	if n.Plan.Kind != plan.KindCable {
		near, nearMAC = w.nearEnd(h, nic)
	}
	if host != "" {
		if w.Host(host) == nil {
			return w.noHost(host)
		}
		if _, err := w.unplug(h, nic); err != nil {
			return err
		}
		if err := w.addNIC(w.Host(host), e, n.Plan.Name, near, nearMAC); err != nil {
			return err
		}
		if n.Plan.Kind == plan.KindInterface || n.Plan.Kind == plan.KindCable {
			return nil
		}
		return w.setUp(w.find(near), !down)
	}
	if !w.free(name) {
		return errExists
	}
	if n.Plan.Kind != plan.KindCable { // the other end is on the machine: two ends there are a cable between switches
		return w.bringHome(h, nic, e, n, End{Name: near, MAC: nearMAC, MTU: n.Plan.MTU}, down)
	}
	if _, err := w.unplug(h, nic); err != nil {
		return err
	}
	if _, err := w.addInterface(e); err != nil {
		return err
	}
	for _, other := range w.Hosts() {
		if c := other.nic(n.Plan.Name); c != nil {
			named := *c.Plan
			named.Veth, named.VethMAC = name, e.MAC
			now := &NIC{Plan: &named, Port: c.Port, cable: c.cable}
			x := *other
			x.NICs = replaced(other.NICs, c, now)
			w.replaceHost(other, x.planned())
			if err := w.replugTo(&device{network: n, host: w.Host(other.Plan.Name), nic: now}, n, w.Network(name), false); err != nil {
				return err
			}
		}
	}
	return w.removeNetwork(n)
}

// bringHome makes a cable between two devices of the machine of one whose far end has been in a namespace.
func (w *World) bringHome(h *Host, nic *NIC, far End, n *Network, near End, down bool) error {
	alone := n.Plan.Kind == plan.KindInterface
	address, up := n.Address(), !n.Plan.Down
	if err := w.removeNIC(h, nic); err != nil {
		return err
	}
	if err := w.addCable(far, near); err != nil {
		return err
	}
	if !alone {
		if err := w.setMaster(w.find(near.Name), w.Network(n.Plan.Name)); err != nil {
			return err
		}
		return w.setUp(w.find(near.Name), !down)
	}
	if up {
		if err := w.setNetworkUp(w.Network(near.Name), true); err != nil {
			return err
		}
	}
	if address.IsValid() {
		return w.gateway.SetAddr(w.Network(near.Name).Interface, address, w.Now())
	}
	return nil
}

// withDown returns settings of a port with another state.
func withDown(k vswitch.PortFlags, down bool) vswitch.PortFlags {
	k.Down = down
	return k
}

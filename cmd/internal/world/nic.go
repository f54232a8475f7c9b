package world

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"uswitch/cmd/internal/plan"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// NIC is a network interface of a host, and the port of the switch that its cable leads to, as they are at one moment.
type NIC struct {
	Plan *plan.Interface
	Port *vswitch.Port
	*cable
}

// cable is what stays the same while an interface is there, whatever else changes about it.
type cable struct {
	device    tap.Device
	cleanup   *cleanup                     // how to unplug it
	attached  chan struct{}                // closed when the cable is in the switch, or will never be
	port      atomic.Pointer[vswitch.Port] // where it is plugged in now
	unplugged atomic.Pointer[string]       // why; nil while it is plugged in
}

// Unplugged says why the interface's cable is out of the switch; ok is false while it is in.
func (c *cable) Unplugged() (why string, ok bool) {
	if p := c.unplugged.Load(); p != nil {
		return *p, true
	}
	return "", false
}

// makeNIC makes an interface in a host and watches it. The host does not have the interface yet, and its cable is plugged in nowhere.
func (w *World) makeNIC(h *Host, p *plan.Interface) (*NIC, error) {
	config := tap.Interface{Name: p.Name, MAC: p.MAC, MTU: p.MTU, DisableIPv6: true}
	if config.Down = h.Plan.Bare && !p.Address.IsValid(); p.Address.IsValid() {
		config.Addresses = append(config.Addresses, p.Address)
	}
	if h.Plan.GatewayDev == p.Name {
		config.Gateway = h.Plan.Gateway
	}
	if six := w.Network(p.Network).Plan.IPv6; six != nil {
		config.DisableIPv6, config.RouterAdverts = false, six.Advertises()
		config.Addresses = append(config.Addresses, p.Address6)
		if h.Plan.GatewayDev6 == p.Name {
			config.Gateway6 = h.Plan.Gateway6
		}
	}
	config.Announce = w.Network(p.Network).former.other(p)
	if err := w.descriptors.takeNIC(); err != nil {
		return nil, err
	}
	device, err := w.open(h.Namespace, config)
	if err != nil {
		w.descriptors.giveNIC()
		return nil, err
	}
	nic := &NIC{Plan: p, cable: &cable{device: device, cleanup: h.cleanup.open(), attached: make(chan struct{})}}
	nic.cleanup.add(func() error {
		if nic.Port == nil {
			close(nic.attached)
		}
		defer w.descriptors.giveNIC()
		return device.Close()
	})
	state, err := device.State()
	if err != nil {
		return nil, nic.cleanup.abandon(err)
	}
	stop, err := device.Watch(w.watcher(h.Plan.Name, nic, state))
	if err != nil {
		return nil, nic.cleanup.abandon(err)
	}
	nic.cleanup.add(func() error { stop(); return nil })
	return nic, nil
}

// attach plugs an interface's cable into its network's switch, into a port with the host's name, and starts to carry frames.
func (w *World) attach(h *Host, nic *NIC) (err error) {
	network := w.Network(nic.Plan.Network)
	if nic.Port, err = network.Switch.Attach(portName(network.Switch, h, nic.Plan), nic.device, network.portFlags(nic.Plan)); err != nil {
		return err
	}
	if nic.Plan.Address6.IsValid() {
		network.Switch.Assign(nic.Port, nic.Plan.MAC, nic.Plan.Address6.Addr())
	}
	nic.at(nic.Port)
	close(nic.attached)
	closing, ended := make(chan struct{}), make(chan struct{})
	nic.cleanup.add(func() error {
		close(closing)
		port := nic.port.Load()
		err := port.Switch().Detach(port)
		<-ended // then the interface is gone from its namespace, and its name is free
		return err
	})
	name := h.Plan.Name
	go func() {
		defer close(ended)
		w.carry(name, nic, closing)
	}()
	return nil
}

// at notes where a cable is plugged in.
func (c *cable) at(p *vswitch.Port) {
	c.port.Store(p)
	if bringer, ok := c.device.(interface {
		Push(func(frame.Frame, time.Time))
	}); ok { // a simulated one brings its frames itself
		bringer.Push(p.Carry)
	}
}

// portName returns what a host's port is called: like the host, or, where that has another one there, like the host and the interface.
func portName(on *vswitch.Switch, h *Host, p *plan.Interface) string {
	if _, taken := on.Port(h.Plan.Name); taken {
		return h.Plan.Name + "-" + p.Name
	}
	return h.Plan.Name
}

// open makes an interface that leaves work to others, as real ones do, unless the person or the kernel will not have it.
func (w *World) open(ns tap.Namespace, config tap.Interface) (tap.Device, error) {
	config.Offload = !w.plain
	device, err := w.host.Open(ns, config)
	if errors.Is(err, tap.ErrNoOffload) {
		config.Offload = false
		return w.host.Open(ns, config)
	}
	return device, err
}

// watcher says what somebody inside the host does to the interface, once it is plugged in. The switch follows a new MTU: it is the
// cable's.
func (w *World) watcher(host string, nic *NIC, before tap.State) func(tap.State) {
	return func(now tap.State) {
		if <-nic.attached; nic.Port == nil {
			return
		}
		for _, change := range changes(before, now) {
			w.report(host + ": " + change)
		}
		port := nic.port.Load()
		on := port.Switch()
		if now.MTU != before.MTU {
			k := port.Flags()
			k.MTU = now.MTU
			on.SetFlags(port, k)
		}
		if before.Up && !now.Up {
			on.FDB().Flush(port) // who was there is not there any more, as on a bridge's port without a carrier (br_stp_disable_port)
		}
		before = now
	}
}

// changes says in words how an interface differs from what it was.
func changes(before, now tap.State) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, before.Name+" "+fmt.Sprintf(format, args...)) }
	if now.Namespace != before.Namespace {
		say("has moved to the namespace net:[%d]; its cable is still in the switch", now.Namespace)
	}
	if now.Name != before.Name {
		say("is now called %s", now.Name)
	}
	if now.MAC != before.MAC {
		say("has the address %v now, no longer %v: the switch learns it from the next frame", now.MAC, before.MAC)
	}
	if now.MTU != before.MTU {
		say("has an MTU of %d now, no longer %d; the switch sends it nothing larger", now.MTU, before.MTU)
	}
	switch {
	case before.Up && !now.Up:
		say("is down: nothing reaches it until `ip link set %s up`", now.Name)
	case !before.Up && now.Up:
		say("is up again")
	}
	return lines
}

// portFlags returns the settings of a port on a network: down is what the port is, or its bridge.
func (n *Network) portFlags(p *plan.Interface) vswitch.PortFlags {
	k := PortFlags(p)
	k.Down = k.Down || n.Plan.Down
	return k
}

// PortFlags turns what the lab file says of a port into the switch's terms.
func PortFlags(p *plan.Interface) vswitch.PortFlags {
	return vswitch.PortFlags{
		Learning:       p.Port.Learning,
		Flood:          p.Port.Flood,
		MulticastFlood: p.Port.McastFlood,
		BroadcastFlood: p.Port.BcastFlood,
		Isolated:       p.Port.Isolated,
		RAGuard:        p.Port.RAGuard,
		NDGuard:        p.Port.NDGuard,
		DHCPGuard:      p.Port.DHCPGuard,
		StormLimit:     p.Port.StormLimit,
		MTU:            p.MTU,
		Down:           p.Down,
	}
}

// trunk returns the settings of a port that no host is behind but another network: what comes from there has passed the guards
// of hosts' ports, if it has come from a host, or the gateway there says it.
func trunk(k vswitch.PortFlags) vswitch.PortFlags {
	k.RAGuard, k.NDGuard, k.DHCPGuard = false, false, false
	return k
}

// DroppedAtNICs returns how many frames the hosts' own interfaces have dropped because their queues were full: nothing of the
// switch ever saw those, so that no counter of it has them. An interface that is gone has taken its count along.
func (w *World) DroppedAtNICs() (sum uint64) {
	var all []interface{ Dropped() (uint64, error) }
	for _, h := range w.Hosts() {
		for _, c := range h.NICs {
			if d, ok := c.device.(interface{ Dropped() (uint64, error) }); ok {
				all = append(all, d)
			}
		}
	}
	_ = inOrder(context.Background(), len(all), parallelism(w.host),
		func(i int) (uint64, error) {
			n, _ := all[i].Dropped() // of one that goes at this moment nothing is known any more
			return n, nil
		},
		func(n uint64) error {
			sum += n
			return nil
		})
	return sum
}

// DroppedAtSockets returns how many datagrams the queues of the machine's own sockets have dropped, through which the lab has
// to do with the outside.
func (w *World) DroppedAtSockets() (sum uint64) {
	for _, n := range w.Networks() {
		if n.Tunnel != nil {
			sum += n.Tunnel.Overflowed()
		}
	}
	if w.way != nil && w.way.overflowed != nil {
		sum += w.way.overflowed()
	}
	return sum
}

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

// Card is a network card of a host, and the port of the switch that its cable leads to, as they are at one moment.
type Card struct {
	Plan *plan.Interface
	Port *vswitch.Port
	*cable
}

// cable is what stays the same while a card is there, whatever else changes about it.
type cable struct {
	device    tap.Device
	scope     *scope                       // how to unplug it
	attached  chan struct{}                // closed when the cable is in the switch, or will never be
	port      atomic.Pointer[vswitch.Port] // where it is plugged in now
	unplugged atomic.Pointer[string]       // why; nil while it is plugged in
}

// Unplugged says why the card's cable is out of the switch; ok is false while it is in.
func (c *cable) Unplugged() (why string, ok bool) {
	if p := c.unplugged.Load(); p != nil {
		return *p, true
	}
	return "", false
}

// makeCard makes a card in a host and watches it. The host does not have the card yet, and its cable is plugged in nowhere.
func (w *World) makeCard(h *Host, p *plan.Interface) (*Card, error) {
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
	if err := w.descriptors.takeCard(); err != nil {
		return nil, err
	}
	device, err := w.open(h.Namespace, config)
	if err != nil {
		w.descriptors.giveCard()
		return nil, err
	}
	card := &Card{Plan: p, cable: &cable{device: device, scope: h.scope.open(), attached: make(chan struct{})}}
	card.scope.add(func() error {
		if card.Port == nil {
			close(card.attached)
		}
		defer w.descriptors.giveCard()
		return device.Close()
	})
	state, err := device.State()
	if err != nil {
		return nil, card.scope.abandon(err)
	}
	stop, err := device.Watch(w.watcher(h.Plan.Name, card, state))
	if err != nil {
		return nil, card.scope.abandon(err)
	}
	card.scope.add(func() error { stop(); return nil })
	return card, nil
}

// attach plugs a card's cable into its network's switch, into a port with the host's name, and starts to carry frames.
func (w *World) attach(h *Host, card *Card) (err error) {
	network := w.Network(card.Plan.Network)
	if card.Port, err = network.Switch.Attach(portName(network.Switch, h, card.Plan), card.device, network.portFlags(card.Plan)); err != nil {
		return err
	}
	if card.Plan.Address6.IsValid() {
		network.Switch.Assign(card.Port, card.Plan.MAC, card.Plan.Address6.Addr())
	}
	card.at(card.Port)
	close(card.attached)
	closing, ended := make(chan struct{}), make(chan struct{})
	card.scope.add(func() error {
		close(closing)
		port := card.port.Load()
		err := port.Switch().Detach(port)
		<-ended // then the card is gone from its namespace, and its name is free
		return err
	})
	name := h.Plan.Name
	go func() {
		defer close(ended)
		w.carry(name, card, closing)
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

// open makes a card that leaves work to others, as real ones do, unless the person or the kernel will not have it.
func (w *World) open(ns tap.Namespace, config tap.Interface) (tap.Device, error) {
	config.Offload = !w.plain
	device, err := w.host.Open(ns, config)
	if errors.Is(err, tap.ErrNoOffload) {
		config.Offload = false
		return w.host.Open(ns, config)
	}
	return device, err
}

// watcher says what somebody inside the host does to the card, once it is plugged in. The switch follows a new MTU: it is the
// cable's.
func (w *World) watcher(host string, card *Card, before tap.State) func(tap.State) {
	return func(now tap.State) {
		if <-card.attached; card.Port == nil {
			return
		}
		for _, change := range changes(before, now) {
			w.report(host + ": " + change)
		}
		port := card.port.Load()
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

// changes says in words how a card differs from what it was.
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

// DroppedAtCards returns how many frames the hosts' own interfaces have dropped because their queues were full: nothing of the
// switch ever saw those, so that no counter of it has them. A card that is gone has taken its count along.
func (w *World) DroppedAtCards() (sum uint64) {
	var all []interface{ Dropped() (uint64, error) }
	for _, h := range w.Hosts() {
		for _, c := range h.Cards {
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

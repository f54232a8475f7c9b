package simhost

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"

	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// Open implements tap.Host. Offload is answered with tap.ErrNoOffload, and the card is on a perfect cable. In virtual time
// the cable has a length: a frame takes as long as about a TAP needs for it. In this machine's time it takes what it takes.
func (h *Host) Open(ns tap.Namespace, i tap.Interface) (tap.Device, error) {
	s, err := h.find(ns)
	if err == nil && i.Offload {
		err = tap.ErrNoOffload
	}
	if err != nil {
		return nil, err
	}
	if i.MTU == 0 {
		i.MTU = 1500
	}
	d := &Device{space: s, name: i.Name, gone: make(chan struct{})}
	if err := s.admit(d); err != nil {
		return nil, err
	}
	d.wire = sim.NewWire(h.loop, h.Random(), h.cable())
	d.wire.PlugPort(d.fromHost)
	var failed error
	err = h.loop.Do(func() { failed = d.plugIn(i) })
	if err := errors.Join(err, failed); err != nil {
		s.dismiss(d)
		return nil, fmt.Errorf("%s %s: %w", ns.Name, i.Name, err)
	}
	return d, nil
}

func (h *Host) cable() sim.WireConfig {
	if h.loop.Virtual() {
		return sim.WireConfig{Latency: sim.DefaultLatency}
	}
	return sim.WireConfig{}
}

// admit enters a device, unless its name is taken or the namespace is on its way out.
func (s *space) admit(d *Device) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return fmt.Errorf("simulated host %s: %w", s.Name, tap.ErrReplaced)
	}
	d.index = 2 // after lo
	for _, other := range s.devices {
		if other.name == d.name {
			return fmt.Errorf("simulated host %s has a card %s already: %w", s.Name, d.name, fs.ErrExist)
		}
		d.index = max(d.index, other.index+1)
	}
	s.devices = append(s.devices, d)
	return nil
}

func (s *space) dismiss(d *Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices = slices.DeleteFunc(s.devices, func(o *Device) bool { return o == d })
}

// plugIn puts the card into the simulated host and sets it up, on the Loop.
func (d *Device) plugIn(i tap.Interface) (err error) {
	m := d.space.machine
	if d.card, err = m.AddCard(i.Name, d.space.owner.macOf(i), address(i), i.MTU, d.wire); err != nil {
		return err
	}
	if i.Down {
		d.card.SetUp(false)
		d.down.Store(true)
		return nil
	}
	routes := i.Routes
	if i.Gateway.IsValid() {
		routes = append(slices.Clone(routes), tap.Route{To: everything, Via: i.Gateway})
	}
	for _, r := range routes {
		if err = m.AddRoute(sim.HostRoute{Prefix: r.To, Via: r.Via, Card: i.Name}); err != nil {
			m.RemoveCard(d.card)
			return fmt.Errorf("route to %v: %w", r.To, err)
		}
	}
	if i.Announce {
		d.card.Announce()
	}
	return nil
}

// address returns the card's IPv4 address; it has room for one.
func address(i tap.Interface) netip.Prefix {
	for _, a := range i.Addresses {
		if a.Addr().Is4() {
			return a
		}
	}
	return netip.Prefix{}
}

// macOf returns the card's hardware address; one is drawn if the plan has none, locally administered as the kernel's.
func (h *Host) macOf(i tap.Interface) frame.MAC {
	if i.MAC != (frame.MAC{}) {
		return i.MAC
	}
	var m frame.MAC
	random := h.Random()
	for n := range m {
		m[n] = byte(random.Uint32())
	}
	m[0] = m[0]&^1 | 2
	return m
}

package sim

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/nat/route"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// queueLength is how many frames wait for a host, as tap.Interface.QueueLength has it.
const queueLength = 1000

// Device is the switch's end of the cable in a namespace's interface. It implements tap.Device.
type Device struct {
	namespace *Namespace
	name      string
	index     int
	nic       *NIC  // belongs to the Loop
	wire      *Wire // so does this

	input  func(frame.Frame, time.Time) // of the switch's port; nil: nobody is there yet
	moving atomic.Int64                 // frames from the switch that have not reached the cable
	down   atomic.Bool
	gone   chan struct{}
	close  sync.Once

	watchers watchers
}

// Read implements tap.Device. Frames are not read, they are brought (Push): it waits for the end.
func (d *Device) Read() (frame.Frame, error) {
	select {
	case <-d.gone:
	case <-d.namespace.owner.loop.Ended():
	}
	return frame.Frame{}, d.goneError()
}

// Push has every frame from the host brought to input, on the Loop.
func (d *Device) Push(input func(f frame.Frame, now time.Time)) {
	_ = d.namespace.owner.loop.Do(func() { d.input = input })
}

func (d *Device) goneError() error {
	return fmt.Errorf("%s %s: %w", d.namespace.Name, d.name, tap.ErrGone)
}

// fromHost takes a frame off the cable.
func (d *Device) fromHost(f frame.Frame) {
	if d.input != nil {
		d.input(f, d.namespace.owner.loop.Now())
	}
}

// Write implements tap.Device.
func (d *Device) Write(f frame.Frame) error {
	switch {
	case d.isGone():
		return d.goneError()
	case d.down.Load():
		return fmt.Errorf("%s %s: %w", d.namespace.Name, d.name, tap.ErrDown)
	case f.Offload != frame.Offload{}:
		return fmt.Errorf("%s %s: %w", d.namespace.Name, d.name, tap.ErrOffload)
	case len(f.Data) < frame.EthernetHeader:
		return fmt.Errorf("%s %s: a frame of %d bytes is none", d.namespace.Name, d.name, len(f.Data))
	case d.moving.Add(1) > queueLength:
		d.moving.Add(-1)
		return fmt.Errorf("%s %s: %w", d.namespace.Name, d.name, tap.ErrFull)
	}
	kept := f.Clone()
	d.namespace.owner.loop.After(0, func() {
		d.moving.Add(-1)
		_ = d.wire.Write(kept) // an interface that went down meanwhile loses it
	})
	return nil
}

// Ready implements vswitch.Carrier.
func (d *Device) Ready() bool { return !d.isGone() && !d.down.Load() && d.moving.Load() < queueLength }

// TakesOffload implements tap.Device: every frame is as on a wire.
func (*Device) TakesOffload(frame.GSO) bool { return false }

func (d *Device) isGone() bool {
	select {
	case <-d.gone:
		return true
	case <-d.namespace.owner.loop.Ended():
		return true
	default:
		return false
	}
}

// Close implements tap.Device.
func (d *Device) Close() error {
	d.close.Do(func() {
		close(d.gone)
		_ = d.wire.Close()
		s := d.namespace
		s.mu.Lock()
		s.devices = slices.DeleteFunc(s.devices, func(o *Device) bool { return o == d })
		s.mu.Unlock()
		_ = s.owner.loop.Do(func() { s.Host.RemoveNIC(d.nic) })
	})
	return nil
}

// State implements tap.Device.
func (d *Device) State() (state tap.State, err error) {
	if d.isGone() {
		return tap.State{}, d.goneError()
	}
	err = d.namespace.owner.loop.Do(func() { state = d.now() })
	return state, err
}

// Name returns the interface's name inside its namespace: eth0.
func (d *Device) Name() string { return d.name }

// Index returns the interface's number inside its namespace.
func (d *Device) Index() int { return d.index }

// NIC returns the interface, which belongs to the Loop.
func (d *Device) NIC() *NIC { return d.nic }

// SetUp takes the interface up or down, on the Loop.
func (d *Device) SetUp(up bool) {
	d.nic.SetUp(up)
	d.down.Store(!up)
}

// now reads the interface, on the Loop.
func (d *Device) now() tap.State {
	return tap.State{Name: d.name, Index: d.index, MAC: d.nic.MAC(), MTU: d.nic.MTU(), Up: d.nic.Up(), Namespace: d.namespace.ID.Inode}
}

// SetGateway implements tap.Device.
func (d *Device) SetGateway(via netip.Addr) error {
	var failed error
	err := d.namespace.owner.loop.Do(func() {
		m := d.namespace.Host
		leads := slices.ContainsFunc(m.Routes(), func(r route.Route[*NIC]) bool { return r.Prefix == everything && r.Dev == d.nic })
		if via.IsValid() || leads {
			m.DeleteRoute(everything)
		}
		if via.IsValid() {
			failed = m.AddRoute(HostRoute{Prefix: everything, Via: via, NIC: d.name})
		}
	})
	return errors.Join(err, failed)
}

// Open implements tap.Host. Offload is answered with tap.ErrNoOffload, and the interface is on a perfect cable. In virtual time
// the cable has a length: a frame takes as long as about a TAP needs for it. In this machine's time it takes what it takes.
func (h *Namespaces) Open(ns tap.Namespace, i tap.Interface) (tap.Device, error) {
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
	d := &Device{namespace: s, name: i.Name, gone: make(chan struct{})}
	if err := s.admit(d); err != nil {
		return nil, err
	}
	d.wire = NewWire(h.loop, h.Random(), h.cable())
	d.wire.PlugPort(d.fromHost)
	var failed error
	err = h.loop.Do(func() { failed = d.plugIn(i) })
	if err := errors.Join(err, failed); err != nil {
		s.dismiss(d)
		return nil, fmt.Errorf("%s %s: %w", ns.Name, i.Name, err)
	}
	return d, nil
}

func (h *Namespaces) cable() WireConfig {
	if h.loop.Virtual() {
		return WireConfig{Latency: DefaultLatency}
	}
	return WireConfig{}
}

// admit enters a device, unless its name is taken or the namespace is on its way out.
func (s *Namespace) admit(d *Device) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return fmt.Errorf("simulated host %s: %w", s.Name, tap.ErrReplaced)
	}
	d.index = 2 // after lo
	for _, other := range s.devices {
		if other.name == d.name {
			return fmt.Errorf("simulated host %s has an interface %s already: %w", s.Name, d.name, fs.ErrExist)
		}
		d.index = max(d.index, other.index+1)
	}
	s.devices = append(s.devices, d)
	return nil
}

func (s *Namespace) dismiss(d *Device) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices = slices.DeleteFunc(s.devices, func(o *Device) bool { return o == d })
}

// plugIn puts the interface into the simulated host and sets it up, on the Loop.
func (d *Device) plugIn(i tap.Interface) (err error) {
	m := d.namespace.Host
	if d.nic, err = m.AddNIC(i.Name, d.namespace.owner.macOf(i), address(i), i.MTU, d.wire); err != nil {
		return err
	}
	if i.Down {
		d.nic.SetUp(false)
		d.down.Store(true)
		return nil
	}
	if !i.DisableIPv6 {
		d.nic.EnableIPv6(addresses6(i), i.RouterAdverts)
	}
	routes := slices.Clone(i.Routes)
	if i.Gateway.IsValid() {
		routes = append(routes, tap.Route{To: everything, Via: i.Gateway})
	}
	if i.Gateway6.IsValid() {
		routes = append(routes, tap.Route{To: everything6, Via: i.Gateway6})
	}
	for _, r := range routes {
		if err = m.AddRoute(HostRoute{Prefix: r.To, Via: r.Via, NIC: i.Name}); err != nil {
			m.RemoveNIC(d.nic)
			return fmt.Errorf("route to %v: %w", r.To, err)
		}
	}
	if i.Announce {
		d.nic.Announce()
	}
	return nil
}

// address returns the interface's IPv4 address; it has room for one.
func address(i tap.Interface) netip.Prefix {
	for _, a := range i.Addresses {
		if a.Addr().Is4() {
			return a
		}
	}
	return netip.Prefix{}
}

// addresses6 returns the interface's addresses of IPv6.
func addresses6(i tap.Interface) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(i.Addresses), func(a netip.Prefix) bool { return !a.Addr().Is6() })
}

// macOf returns the interface's hardware address; one is drawn if the plan has none, locally administered as the kernel's.
func (h *Namespaces) macOf(i tap.Interface) frame.MAC {
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

// watchers are those who want to know what happens to an interface. They are told on the Loop, at once.
type watchers struct {
	mu  sync.Mutex // guards all; not held while anybody is told
	all []*nicWatcher
}

// nicWatcher is one of them.
type nicWatcher struct {
	before  tap.State
	changed func(tap.State)
}

// Watch implements tap.Device.
func (d *Device) Watch(changed func(tap.State)) (stop func(), err error) {
	before, err := d.State()
	if err != nil {
		return nil, err
	}
	w := &nicWatcher{before, changed}
	d.watchers.mu.Lock()
	defer d.watchers.mu.Unlock()
	d.watchers.all = append(d.watchers.all, w)
	return func() {
		d.watchers.mu.Lock()
		defer d.watchers.mu.Unlock()
		d.watchers.all = slices.DeleteFunc(slices.Clone(d.watchers.all), func(o *nicWatcher) bool { return o == w })
	}, nil
}

// Changed tells everybody who watches what has become of the interface, on the Loop.
func (d *Device) Changed() {
	d.watchers.mu.Lock()
	all := d.watchers.all
	d.watchers.mu.Unlock()
	now := d.now()
	for _, w := range all {
		if now != w.before {
			w.before = now
			w.changed(now)
		}
	}
}

package worldtest

import (
	"fmt"
	"net/netip"
	"sync"

	"uswitch/switch/frame"
	"uswitch/tap"
)

// Device is an interface whose wire ends in the test: Send is what the namespace would send, Received what it would get.
type Device struct {
	host *Host
	name string
	in   chan frame.Frame
	gone chan struct{}
	once sync.Once

	mu       sync.Mutex // guards what follows
	state    tap.State
	gateway  netip.Addr
	changed  func(tap.State)
	received []frame.Frame
	fault    string
	lost     uint64
}

func newDevice(h *Host, name string, i tap.Interface) *Device {
	return &Device{host: h, name: name, in: make(chan frame.Frame), gone: make(chan struct{}),
		state: tap.State{Name: i.Name, Index: 2, MAC: i.MAC, MTU: i.MTU, Up: true, Namespace: 1}, gateway: i.Gateway}
}

// Send hands the switch a frame, as the namespace would.
func (d *Device) Send(b []byte) { d.in <- frame.Frame{Data: b} }

// Received returns what the switch has sent to the namespace.
func (d *Device) Received() []frame.Frame {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]frame.Frame(nil), d.received...)
}

// Change does to the interface what somebody inside could.
func (d *Device) Change(f func(*tap.State)) {
	d.mu.Lock()
	f(&d.state)
	now, changed := d.state, d.changed
	d.mu.Unlock()
	if changed != nil {
		changed(now)
	}
}

// Break makes the next Write panic.
func (d *Device) Break(fault string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fault
}

// Lose makes the interface say that it has dropped so many frames more of its namespace's.
func (d *Device) Lose(n uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost += n
}

// Dropped returns what Lose has made of it.
func (d *Device) Dropped() (uint64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lost, nil
}

// Vanish takes the interface away, as the end of its namespace does.
func (d *Device) Vanish() { d.Close() }

// Read implements tap.Device.
func (d *Device) Read() (frame.Frame, error) {
	select {
	case f := <-d.in:
		return f, nil
	case <-d.gone:
		return frame.Frame{}, fmt.Errorf("%s: %w", d.name, tap.ErrGone)
	}
}

// Write implements tap.Device.
func (d *Device) Write(f frame.Frame) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault != "" {
		panic(d.fault)
	}
	d.received = append(d.received, f.Clone())
	return nil
}

// Close implements tap.Device.
func (d *Device) Close() error {
	d.once.Do(func() {
		close(d.gone)
		d.host.unmake("interface " + d.name)
	})
	return nil
}

// SetGateway implements tap.Device. That a namespace has one default route only is left to the kernel.
func (d *Device) SetGateway(a netip.Addr) error {
	d.host.mu.Lock()
	err := d.host.step()
	d.host.mu.Unlock()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gateway = a
	return nil
}

// Gateway returns where the default route through this interface leads, if there is one.
func (d *Device) Gateway() netip.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.gateway
}

// State implements tap.Device.
func (d *Device) State() (tap.State, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state, nil
}

// Watch implements tap.Device.
func (d *Device) Watch(changed func(tap.State)) (stop func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changed = changed
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.changed = nil
	}, nil
}

// TakesOffload implements tap.Device: every frame comes complete.
func (d *Device) TakesOffload(frame.GSO) bool { return false }

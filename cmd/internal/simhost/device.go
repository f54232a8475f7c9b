package simhost

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"uswitch/nat/route"
	"uswitch/sim"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// queueLength is how many frames wait for a host, as tap.Interface.QueueLength has it.
const queueLength = 1000

// Device is the switch's end of a simulated cable. It implements tap.Device.
type Device struct {
	space *space
	name  string
	index int
	card  *sim.Card // belongs to the Loop
	wire  *sim.Wire // so does this

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
	case <-d.space.owner.loop.Ended():
	}
	return frame.Frame{}, d.goneError()
}

// Push has every frame from the host brought to input, on the Loop.
func (d *Device) Push(input func(f frame.Frame, now time.Time)) {
	_ = d.space.owner.loop.Do(func() { d.input = input })
}

func (d *Device) goneError() error { return fmt.Errorf("%s %s: %w", d.space.Name, d.name, tap.ErrGone) }

// fromHost takes a frame off the cable.
func (d *Device) fromHost(f frame.Frame) {
	if d.input != nil {
		d.input(f, d.space.owner.loop.Now())
	}
}

// Write implements tap.Device.
func (d *Device) Write(f frame.Frame) error {
	switch {
	case d.isGone():
		return d.goneError()
	case d.down.Load():
		return fmt.Errorf("%s %s: %w", d.space.Name, d.name, tap.ErrDown)
	case f.Offload != frame.Offload{}:
		return fmt.Errorf("%s %s: %w", d.space.Name, d.name, tap.ErrOffload)
	case len(f.Data) < frame.EthernetHeader:
		return fmt.Errorf("%s %s: a frame of %d bytes is none", d.space.Name, d.name, len(f.Data))
	case d.moving.Add(1) > queueLength:
		d.moving.Add(-1)
		return fmt.Errorf("%s %s: %w", d.space.Name, d.name, tap.ErrFull)
	}
	kept := f.Clone()
	d.space.owner.loop.After(0, func() {
		d.moving.Add(-1)
		_ = d.wire.Write(kept) // a card that went down meanwhile loses it
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
	case <-d.space.owner.loop.Ended():
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
		s := d.space
		s.mu.Lock()
		s.devices = slices.DeleteFunc(s.devices, func(o *Device) bool { return o == d })
		s.mu.Unlock()
		_ = s.owner.loop.Do(func() { s.machine.RemoveCard(d.card) })
	})
	return nil
}

// State implements tap.Device.
func (d *Device) State() (state tap.State, err error) {
	if d.isGone() {
		return tap.State{}, d.goneError()
	}
	err = d.space.owner.loop.Do(func() { state = d.now() })
	return state, err
}

// now reads the card, on the Loop.
func (d *Device) now() tap.State {
	return tap.State{Name: d.name, Index: d.index, MAC: d.card.MAC(), MTU: d.card.MTU(), Up: d.card.Up(), Namespace: d.space.ID.Inode}
}

// SetGateway implements tap.Device.
func (d *Device) SetGateway(via netip.Addr) error {
	var failed error
	err := d.space.owner.loop.Do(func() {
		m := d.space.machine
		leads := slices.ContainsFunc(m.Routes(), func(r route.Route[*sim.Card]) bool { return r.Prefix == everything && r.Dev == d.card })
		if via.IsValid() || leads {
			m.DeleteRoute(everything)
		}
		if via.IsValid() {
			failed = m.AddRoute(sim.HostRoute{Prefix: everything, Via: via, Card: d.name})
		}
	})
	return errors.Join(err, failed)
}

var everything = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/plan"
	"uswitch/cmd/internal/plan/dockerhost"
	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// What people build by hand, as ip and brctl do it: namespaces, bridges, and cables between all of them. A cable has two ends, each
// in a namespace or on the machine, which is the gateway:
//
//	namespace, machine     an interface (NIC) whose port is on a network: a bridge, or one that is the near end alone
//	namespace, namespace   two interfaces on a network of kind cable
//	machine, machine       a Cable: a port on each of two networks
//
// An end that stays on the machine is an interface of the gateway's (a network of kind interface) until it is put on a bridge.

// KernelError is what the kernel says about devices, in the words in which ip passes that on.
type KernelError string

func (e KernelError) Error() string { return string(e) }

// What the kernel says.
const (
	errExists      = KernelError("RTNETLINK answers: File exists")
	errNoDevice    = KernelError("RTNETLINK answers: No such device")
	errUnsupported = KernelError("RTNETLINK answers: Operation not supported")
	errInvalid     = KernelError("RTNETLINK answers: Invalid argument")
)

// End is one end of a cable that is to be made.
type End struct {
	Name string
	Host string // whose namespace it is in; empty: the machine's
	MAC  frame.MAC
	MTU  int // 0: 1500
}

// device is what a name on the machine stands for.
type device struct {
	network *Network // the bridge, the interface, or the network of the port
	host    *Host    // of an interface's near end
	nic     *NIC
	cable   *Cable // of an end of a cable whose other end is on the machine, too
	end     int
}

// port reports whether the device is a port of a bridge.
func (d *device) port() bool {
	return (d.nic != nil || d.cable != nil) && d.network.Plan.Kind != plan.KindInterface
}

// find finds a device by its name; nil: there is none.
func (w *World) find(name string) *device {
	for _, h := range w.Hosts() {
		for _, c := range h.NICs {
			n := w.Network(c.Plan.Network)
			if near, _ := w.nearEnd(h, c); near == name && n != nil && n.Plan.Kind != plan.KindCable {
				return &device{network: n, host: h, nic: c}
			}
		}
	}
	for _, c := range w.Cables() {
		for i, end := range c.Plan.Ends() {
			if end.Name == name {
				return &device{network: w.Network(end.Network), cable: c, end: i}
			}
		}
	}
	if n := w.Network(name); n != nil && n.Plan.Kind != plan.KindCable {
		return &device{network: n}
	}
	return nil
}

// nearEnd returns what the near end of an interface's cable is called, and its address.
func (w *World) nearEnd(h *Host, c *NIC) (string, frame.MAC) {
	return dockerhost.VethName(w.Plan().Name, h.Plan.Name, c.Plan)
}

// free reports whether no device of the machine has a name.
func (w *World) free(name string) bool {
	return name != "lo" && name != w.uplinkName() && w.find(name) == nil
}

// AddNamespace makes a namespace with nothing in it.
func (w *World) AddNamespace(ctx context.Context, name string) error {
	end, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	exists := KernelError(fmt.Sprintf("Cannot create namespace file \"/run/netns/%s\": File exists", name))
	if w.Host(name) != nil {
		return exists
	}
	h := plan.Host{Name: name, Hostname: name, Container: w.Plan().Name + "-" + name + "-1", Interfaces: []plan.Interface{}, Bare: true, Passive: true}
	if err := w.Plan().VerifyHost(&h); err != nil {
		return err
	}
	err = w.addHost(ctx, &h)
	if errors.Is(err, fs.ErrExist) {
		return exists
	}
	return err
}

// AddBridge makes a bridge, down and without an address.
func (w *World) AddBridge(ctx context.Context, name string, mac frame.MAC, mtu int) error {
	end, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if !w.free(name) {
		return errExists
	}
	p := w.Plan().ByHand(plan.KindBridge, name)
	p.MTU = cmp.Or(mtu, p.MTU)
	if mac != (frame.MAC{}) {
		p.GatewayMAC = mac
	}
	return w.addNetwork(&p)
}

// AddVeth makes a cable with two ends, both down.
func (w *World) AddVeth(ctx context.Context, a, b End) error {
	end, err := w.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, e := range []End{a, b} {
		if e.Host == "" && !w.free(e.Name) || a.Name == b.Name && a.Host == b.Host {
			return errExists
		}
		if e.Host != "" && w.Host(e.Host) == nil {
			return w.noHost(e.Host)
		}
	}
	if a.Host == "" {
		a, b = b, a
	}
	switch {
	case a.Host == "":
		return w.addCable(b, a)
	case b.Host == "":
		near, err := w.addInterface(b)
		if err != nil {
			return err
		}
		if err := w.addNIC(w.Host(a.Host), a, near, b.Name, b.MAC); err != nil {
			return errors.Join(err, w.removeNetwork(w.Network(near)))
		}
		return nil
	}
	between, err := w.addBetween()
	if err != nil {
		return err
	}
	if err := w.addNIC(w.Host(a.Host), a, between, "", frame.MAC{}); err != nil {
		return errors.Join(err, w.removeNetwork(w.Network(between)))
	}
	if err := w.addNIC(w.Host(b.Host), b, between, "", frame.MAC{}); err != nil {
		_, undone := w.unplug(w.Host(a.Host), w.Host(a.Host).nic(between))
		return errors.Join(err, undone, w.removeNetwork(w.Network(between)))
	}
	return nil
}

// addInterface makes the network that an end is as long as it is on no bridge, and returns its name.
func (w *World) addInterface(e End) (string, error) {
	p := w.Plan().ByHand(plan.KindInterface, e.Name)
	p.MTU = cmp.Or(e.MTU, p.MTU)
	if e.MAC != (frame.MAC{}) {
		p.GatewayMAC = e.MAC
	}
	return e.Name, w.addNetwork(&p)
}

// addBetween makes the network that a cable between two namespaces is, and returns its name.
func (w *World) addBetween() (string, error) {
	for i := 1; ; i++ {
		if name := fmt.Sprint("cable", i); w.Network(name) == nil && w.free(name) {
			p := w.Plan().ByHand(plan.KindCable, name)
			p.AgeingTime, p.GroupFwdMask = 0, 0xfff8 // all that comes in at one end leaves at the other
			return name, w.addNetwork(&p)
		}
	}
}

// addNIC puts one end of a cable into a host; the other one is a port of a network. near is what that is called there, if anything.
func (w *World) addNIC(h *Host, e End, network, near string, nearMAC frame.MAC) error {
	n := w.Network(network)
	p := &plan.Interface{Name: e.Name, Network: network, MAC: e.MAC, MTU: cmp.Or(e.MTU, 1500), Veth: near, VethMAC: nearMAC, Port: n.Plan.Port}
	if p.MAC == (frame.MAC{}) {
		p.MAC = w.Plan().DrawMAC(h.Plan.Name + "/" + e.Name)
	}
	nic, err := w.makeNIC(h, p)
	if errors.Is(err, fs.ErrExist) {
		return errExists
	}
	if err == nil {
		err = w.attach(h, nic)
	}
	if err != nil {
		return hostError(h, err)
	}
	w.replaceHost(h, h.withMore(nic))
	return nil
}

// withMore returns the host with one interface more, wherever its others are.
func (h *Host) withMore(c *NIC) *Host {
	now := *h
	now.NICs = with(h.NICs, c)
	return now.planned()
}

// Cables returns the cables between switches, in the order in which they were made. The list is not to be changed.
func (w *World) Cables() []*Cable { return w.now.Load().cables }

// Cable is a pair of devices on the machine, as it is at one moment.
type Cable struct {
	Plan  *plan.Cable
	Ports [2]*vswitch.Port
}

// addCable makes a cable whose ends are both on the machine.
func (w *World) addCable(a, b End) (err error) {
	c := &Cable{Plan: &plan.Cable{}}
	ends := [2]*plan.CableEnd{&c.Plan.A, &c.Plan.B}
	var links [2]vswitch.Link
	links[0], links[1] = vswitch.NewPatch()
	for i, e := range []End{a, b} {
		mac := e.MAC
		if mac == (frame.MAC{}) {
			mac = w.Plan().DrawMAC(e.Name)
		}
		*ends[i] = plan.CableEnd{Name: e.Name, Network: e.Name, MAC: mac, MTU: cmp.Or(e.MTU, 1500), Down: true}
		if _, err = w.addInterface(e); err == nil {
			c.Ports[i], err = w.Network(e.Name).Switch.Attach(e.Name, links[i], w.Network(e.Name).endFlags(ends[i]))
		}
		if err != nil {
			for _, name := range []string{a.Name, b.Name}[:i+1] {
				if n := w.Network(name); n != nil {
					err = errors.Join(err, w.removeNetwork(n))
				}
			}
			return err
		}
	}
	w.change(func(p *snapshot) { p.cables = with(p.cables, c) })
	return nil
}

// endFlags returns the settings of a port that is an end of a cable.
func (n *Network) endFlags(e *plan.CableEnd) vswitch.PortFlags {
	k := trunk(PortFlags(&plan.Interface{Port: n.Plan.Port, MTU: e.MTU, Down: e.Down}))
	k.Down = k.Down || n.Plan.Down
	return k
}

// RemoveDevice removes a bridge that was made by hand, or a cable by either of its ends.
func (w *World) RemoveDevice(name string) error {
	end, err := w.begin(context.Background())
	if err != nil {
		return err
	}
	defer end()
	d := w.find(name)
	switch {
	case name == "lo" || name == w.uplinkName():
		return errUnsupported
	case d == nil:
		return errNoDevice
	case d.nic != nil:
		return w.removeNIC(d.host, d.nic)
	case d.cable != nil:
		return w.removeCable(d.cable)
	case d.network.Plan.Kind == plan.KindBridge:
		return w.removeBridge(d.network)
	case d.network.Plan.Docked():
		return KernelError(fmt.Sprintf("Error: %s is a network of the lab's: `uswitch docker network rm %s` removes it.", name, d.network.Plan.Docker))
	}
	return errUnsupported
}

// removeBridge removes a bridge. What is plugged in there goes on as interfaces of their own.
func (w *World) removeBridge(n *Network) error {
	var failed []error
	for _, name := range w.portsOf(n) {
		failed = append(failed, w.setMaster(w.find(name), nil))
	}
	return errors.Join(append(failed, w.removeNetwork(n))...)
}

// portsOf names the devices that are ports of a network.
func (w *World) portsOf(n *Network) (names []string) {
	for _, h := range w.Hosts() {
		for _, c := range h.NICs {
			if c.Plan.Network == n.Plan.Name {
				near, _ := w.nearEnd(h, c)
				names = append(names, near)
			}
		}
	}
	for _, c := range w.Cables() {
		for _, end := range c.Plan.Ends() {
			if end.Network == n.Plan.Name {
				names = append(names, end.Name)
			}
		}
	}
	return names
}

// removeNIC takes a cable away of which an interface is one end, and what there was for it alone.
func (w *World) removeNIC(h *Host, c *NIC) error {
	n := w.Network(c.Plan.Network)
	_, err := w.unplug(h, c)
	if n == nil || n.Plan.Kind != plan.KindInterface && n.Plan.Kind != plan.KindCable {
		return err
	}
	for _, other := range w.Hosts() {
		if nic := other.nic(n.Plan.Name); nic != nil {
			_, gone := w.unplug(other, nic)
			err = errors.Join(err, gone)
		}
	}
	return errors.Join(err, w.removeNetwork(n))
}

// removeCable takes a cable between two devices of the machine away, and the interfaces that its ends were.
func (w *World) removeCable(c *Cable) error {
	var failed []error
	for i, end := range c.Plan.Ends() {
		n := w.Network(end.Network)
		failed = append(failed, c.Ports[i].Switch().Detach(c.Ports[i]))
		if n.Plan.Kind == plan.KindInterface {
			failed = append(failed, w.removeNetwork(n))
		}
	}
	w.change(func(p *snapshot) { p.cables = without(p.cables, c) })
	return errors.Join(failed...)
}

// RemoveNamespace removes a namespace that was made by hand, with the cables that end in it.
func (w *World) RemoveNamespace(name string) error {
	h, end, err := w.beginOn(context.Background(), name)
	if err != nil {
		return KernelError(fmt.Sprintf("Cannot remove namespace file \"/run/netns/%s\": No such file or directory", name))
	}
	defer end()
	if !h.Plan.Bare {
		return KernelError(fmt.Sprintf("%s is a host of the lab's, not a namespace that was made by hand: `uswitch docker rm -f %s` removes a container", name, name))
	}
	var failed []error
	for len(h.NICs) > 0 {
		failed = append(failed, w.removeNIC(h, h.NICs[0]))
		h = w.Host(name)
	}
	return errors.Join(append(failed, w.removeHost(h))...)
}

// forgetGone forgets the cables of a host whose interfaces somebody has deleted from inside, or taken along to another namespace that is
// gone: their near ends are gone as well.
func (w *World) forgetGone() {
	for _, h := range w.Hosts() {
		if !h.Plan.Bare {
			continue
		}
		for _, c := range slices.Clone(h.NICs) {
			if _, err := c.device.State(); errors.Is(err, tap.ErrGone) {
				_ = w.removeNIC(w.Host(h.Plan.Name), c)
			}
		}
	}
}

// Address returns the gateway's address on a network, or the one that it will have when the device is up again.
func (n *Network) Address() netip.Prefix {
	if n.Interface != nil && n.Interface.Addr().IsValid() {
		return n.Interface.Addr()
	}
	return n.kept
}

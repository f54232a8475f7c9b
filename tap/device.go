package tap

import (
	"fmt"
	"net/netip"
	"strings"

	"uswitch/switch/frame"
)

// Device is the near end of the cable of a network interface in a namespace.
type Device interface {
	// Read waits for the next frame that the namespace sends. The bytes belong to the device and stay until the next
	// Read; one goroutine reads. While the interface is down, Read waits. An error wraps ErrGone and is final.
	Read() (frame.Frame, error)

	// Write hands a frame to the namespace as if it came over the wire, whole or not at all. The frame is borrowed; any
	// number of goroutines may write. Write does not wait. It answers ErrDown, ErrFull, ErrGone or ErrOffload (wrapped,
	// with the interface's name), or what the kernel said of a frame that it does not take, such as one shorter than an
	// Ethernet header.
	Write(f frame.Frame) error

	// TakesOffload says whether Write takes super-frames of a kind, and Read returns them; with frame.GSONone, frames that
	// lack only a checksum. An interface that was opened with Interface.Offload takes all, but for datagrams (frame.GSOUDPL4)
	// before Linux 6.2.
	TakesOffload(frame.GSO) bool

	// Close takes the interface away. A Read that waits returns, and so does everything later, with ErrGone. Closing twice is
	// no error.
	Close() error

	// SetGateway points the default route of the interface's namespace at a neighbour on this interface's network, in place of
	// whichever interface it led through before. An invalid address takes the default route through this interface away; that there
	// is none is no error.
	SetGateway(netip.Addr) error

	// State asks the kernel what the interface is like now. It finds the interface under another name and in another namespace
	// too.
	State() (State, error)

	// Watch calls changed, from one goroutine, each time the State has become another one, until stop is called or the
	// nic is gone. Changes that follow each other closely may come as one.
	Watch(changed func(State)) (stop func(), err error)
}

// State is what the namespace made of a network interface: people inside can rename it, take it down, or change its address.
type State struct {
	// Name and Index are those inside the namespace: eth0, 7 (the number in eth0@if7).
	Name  string
	Index int
	MAC   frame.MAC
	// MTU in bytes, without the Ethernet header.
	MTU int
	// Up says whether the interface is administratively up.
	Up bool
	// Namespace is the inode number of the namespace that the interface is in, as in net:[4026532281].
	Namespace uint64
}

// Interface is how a network interface is to be set up. Only Name must be given.
type Interface struct {
	// Name inside the namespace: eth0.
	Name string
	// MAC is the interface's address; the kernel draws one if it is zero.
	MAC frame.MAC
	// MTU is the largest packet in bytes, without the 14 bytes of Ethernet: 68 to 65521, 0 stands for 1500.
	MTU int
	// Addresses are the interface's own addresses, each with the length of its network's prefix: 11.11.11.2/24.
	Addresses []netip.Prefix
	// Gateway gets the default route; it must lie in the network of one of the addresses. None if invalid.
	Gateway netip.Addr
	// Gateway6 gets IPv6's default route; as Gateway.
	Gateway6 netip.Addr
	// Routes are further routes through this interface.
	Routes []Route
	// Offload lets the namespace leave checksums and the cutting of its stream into packets to whoever takes the frame, as a
	// real network interface does. Frames of up to 64 KiB then pass, several times faster. Without it every frame is as it would
	// be on a wire. Open answers ErrNoOffload where the kernel does not know this.
	Offload bool
	// QueueLength is how many frames wait for a slow reader before the kernel drops: 0 stands for 1000, the kernel's
	// default for Ethernet, which holds a 64 KiB window some twenty times over.
	QueueLength int
	// RouterAdverts has the interface take addresses and routes from what a router advertises; without it, it takes what stands here.
	RouterAdverts bool
	// DisableIPv6 keeps IPv6 off this interface, so that a lab without it sees no router solicitations.
	DisableIPv6 bool
	// Announce has the interface tell everyone on its network which addresses it has, once it comes up (gratuitous ARP): for
	// neighbours that believe them to be at another MAC.
	Announce bool
	// Down leaves the interface down; its routes, which the kernel accepts only on an interface that is up, are left out.
	Down bool
}

// Route is one way out through an interface.
type Route struct {
	// To is the destination.
	To netip.Prefix
	// Via is the next hop; if invalid, the destination is on the wire itself.
	Via netip.Addr
}

// The kernel's own limits for a TAP: ETH_MIN_MTU, and 65535 less the Ethernet header (tun_net_initialize).
const (
	minMTU = 68
	maxMTU = 65521
)

// withDefaults returns a copy in which every zero that stands for a default is that default.
func (c Interface) withDefaults() Interface {
	if c.MTU == 0 {
		c.MTU = 1500
	}
	if c.QueueLength == 0 {
		c.QueueLength = 1000
	}
	return c
}

// check finds what the kernel would refuse, and says it in words, before anything is made.
func (c Interface) check() error {
	switch {
	case c.Name == "" || len(c.Name) > 15 || c.Name == "." || c.Name == ".." || strings.ContainsAny(c.Name, "/: \t\n\x00%"):
		return fmt.Errorf("interface name %q: want 1 to 15 characters without slash, colon, percent sign or space", c.Name)
	case c.Name == "all" || c.Name == "default": // are something else in /proc/sys/net/ipv4/conf
		return fmt.Errorf("%s is not the name of an interface that the kernel accepts", c.Name)
	case c.MAC != frame.MAC{} && !c.MAC.IsStation():
		return fmt.Errorf("%s: %s is a group address; an interface's own has an even first octet", c.Name, c.MAC)
	case c.MTU < minMTU || c.MTU > maxMTU:
		return fmt.Errorf("%s: MTU %d: want %d to %d", c.Name, c.MTU, minMTU, maxMTU)
	case c.QueueLength < 0:
		return fmt.Errorf("%s: queue length %d: want 1 or more, or 0 for 1000", c.Name, c.QueueLength)
	case c.Gateway.IsValid() && !c.reaches(c.Gateway):
		return fmt.Errorf("%s: gateway %s lies in none of its networks %v", c.Name, c.Gateway, c.Addresses)
	case c.Gateway6.IsValid() && !c.reaches(c.Gateway6):
		return fmt.Errorf("%s: gateway %s lies in none of its networks %v", c.Name, c.Gateway6, c.Addresses)
	}
	for _, address := range c.Addresses {
		if !address.IsValid() {
			return fmt.Errorf("%s: an address is missing or has no prefix length", c.Name)
		}
		if address.Addr().Is6() && c.DisableIPv6 {
			return fmt.Errorf("%s: address %s on an interface without IPv6", c.Name, address)
		}
	}
	for _, route := range c.Routes {
		if !route.To.IsValid() {
			return fmt.Errorf("%s: a route has no destination", c.Name)
		}
	}
	return nil
}

// reaches reports whether an address lies in the network of one of the interface's own.
func (c Interface) reaches(a netip.Addr) bool {
	for _, own := range c.Addresses {
		if own.Contains(a) {
			return true
		}
	}
	return false
}

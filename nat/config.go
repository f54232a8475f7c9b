package nat

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"uswitch/nat/conntrack"
	"uswitch/nat/rule"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Config describes a gateway. The zero values of the optional fields mean the defaults.
type Config struct {
	Tracer   *trace.Tracer // required
	Epoch    time.Time     // required: from which ages are counted, on the same clock as Input's now
	Rules    *rule.Tables  // required
	Rules6   *rule.Tables  // of IPv6; nil: empty ones
	Random   *rand.Rand    // required: ports of MASQUERADE --random and the ids of packets; used by one caller at a time
	MaxConns int           // conntrack.DefaultMaxConns
	// FragmentMemory bounds the memory of packets that wait for their fragments, in bytes: DefaultFragmentMemory.
	FragmentMemory int
	NoForwarding   bool // ip_forward=0
	NoForwarding6  bool // net.ipv6.conf.all.forwarding=0
}

// Segment is a network that the gateway stands on: it takes frames. A vswitch.Switch is one. The frame and the journey
// are borrowed until Output returns.
type Segment interface {
	Output(f frame.Frame, j *trace.Journey, now time.Time)
}

// Porter is a Segment that knows the names of its ports by the numbers that it writes into frames: see frame.Frame's Source. It
// takes no lock, because it is asked on the way of a packet.
type Porter interface{ PortName(id uint32) string }

// Uplink is a way out that takes IP packets. The first EthernetHeader bytes of the frame are room and mean nothing; the
// bytes are borrowed until Output returns, and stay as they are: the trace shows them afterwards. A packet that it does not
// take is dropped for the reason that it returns, and the sender is told where that is fitting, with a quotation.
// What comes back enters by Gateway.InputUplink.
type Uplink interface {
	Output(f frame.Frame, now time.Time) trace.Reason
}

// Binder is an Uplink whose address belongs to somebody else, the host: it reserves the ports that packets are
// translated to, because the reservation is what makes the translation true.
type Binder interface {
	// Bind reserves a source for a flow, and returns it. The same inside endpoint gets the same port as long as it holds
	// one within the range. It must not wait for the network.
	Bind(b Binding, now time.Time) (netip.AddrPort, trace.Reason)
	// Release ends one Bind. t is the flow as it left, source translated.
	Release(t frame.Tuple)
}

// Binding is what a Binder is asked for.
type Binding struct {
	Tuple  frame.Tuple         // the flow so far
	Source uint64              // who sends it: see frame.Frame
	Ports  conntrack.PortRange // those that the rule names; the zero value means any
	Random bool                // the rule wants another port than the sender's own
}

// Machiner is an Uplink that has addresses for this machine itself: TCP and UDP that come from there have never been outside.
// What this machine says about packets does not come from there: see Undelivered. Its sockets carry what comes in, so that its
// kernel has connected a client of TCP before the gateway hears of it.
type Machiner interface{ IsMachine(netip.Addr) bool }

// InterfaceConfig describes an Interface. Exactly one of Segment and Uplink is given.
type InterfaceConfig struct {
	Name    string              // as rules and the trace call it: br0, uplink
	Addr    netip.Prefix        // the gateway's address there and the network's prefix; with Segment it may be absent: see SetAddr
	More    []netip.Prefix      // further addresses there
	V6      []netip.Prefix      // addresses of IPv6; none: the gateway does not speak it there. On a network it has a link-local one too
	Advert  *frame.RouterAdvert // with V6 on a network: what the gateway tells hosts that want to configure themselves; nil: nothing
	MAC     frame.MAC           // with Segment
	MTU     int                 // bytes of an IP packet; 0 means 1500
	Segment Segment
	Uplink  Uplink
	// Shared says, of an uplink, that Addr is the address of somebody else too, the host that the gateway is a program of.
	// What networks send there over TCP or UDP, and no rule has led elsewhere, is for that host: it leaves by the uplink, and
	// answers come in with Addr as their source.
	Shared bool
}

func (c *InterfaceConfig) check() error {
	switch {
	case c.Name == "":
		return errors.New("gateway: an interface needs a name")
	case (c.Addr.IsValid() || c.Segment == nil) && !c.Addr.Addr().Is4():
		return fmt.Errorf("gateway: interface %s: address %v: want an IPv4 address with its prefix, as in 11.11.11.1/24",
			c.Name, c.Addr)
	case slices.ContainsFunc(c.More, func(p netip.Prefix) bool { return !c.Addr.IsValid() || !p.Addr().Is4() }):
		return fmt.Errorf("gateway: interface %s: further addresses %v: want IPv4 addresses with their prefixes, behind a first one", c.Name, c.More)
	case slices.ContainsFunc(c.V6, func(p netip.Prefix) bool { return !p.Addr().Is6() || p.Addr().Is4In6() || p.Addr().IsMulticast() }):
		return fmt.Errorf("gateway: interface %s: addresses %v: want IPv6 addresses with their prefixes, as in fd00::1/64", c.Name, c.V6)
	case len(c.V6) > 0 && c.MTU != 0 && c.MTU < frame.IPv6MinMTU:
		return fmt.Errorf("gateway: interface %s: MTU %d: IPv6 wants %d at least (RFC 8200 5)", c.Name, c.MTU, frame.IPv6MinMTU)
	case (c.Segment == nil) == (c.Uplink == nil):
		return fmt.Errorf("gateway: interface %s: want a segment or an uplink", c.Name)
	case c.Segment != nil && !c.MAC.IsStation():
		return fmt.Errorf("gateway: interface %s: MAC %v cannot be the address of one station", c.Name, c.MAC)
	case c.MTU != 0 && (c.MTU < 68 || c.MTU > 65535):
		return fmt.Errorf("gateway: interface %s: MTU %d: want 68 to 65535", c.Name, c.MTU)
	}
	return nil
}

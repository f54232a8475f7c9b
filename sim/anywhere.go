package sim

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"uswitch/nat"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// AnywhereConfig describes an outside that nobody can look into.
type AnywhereConfig struct {
	Addr  netip.Addr // the uplink's own address, the only source that the outside could answer
	Addr6 netip.Addr // that of IPv6; invalid: the uplink has none
	// Refuses says which destinations the uplink itself does not let anybody reach, and why; nil: all are fine.
	Refuses func(dst netip.Addr) trace.Reason
}

// Anywhere is an outside of which nothing is known, and so the best is assumed: whatever the address, somebody answers
// pings there and serves every port. It stands in for a real network where a question is only tried out.
type Anywhere struct {
	clock   *Clock
	config  AnywhereConfig
	machine *Machine
	gateway *nat.Gateway
	uplink  *nat.Interface
}

// anywhereHop is how long a packet takes through the outside, each way.
const anywhereHop = 10 * time.Millisecond

// NewAnywhere makes an outside. It takes no packets before Connect.
func NewAnywhere(c AnywhereConfig, clock *Clock, random *rand.Rand) *Anywhere {
	a := &Anywhere{clock: clock, config: c}
	a.machine = newMachine(clock, random, a)
	return a
}

// Connect implements Outside.
func (a *Anywhere) Connect(g *nat.Gateway, uplink *nat.Interface) { a.gateway, a.uplink = g, uplink }

// Client implements Outside: somebody at 198.51.100.7 and 2001:db8:51::7.
func (a *Anywhere) Client() *Machine { return a.machine }

// Output implements nat.Uplink.
func (a *Anywhere) Output(f frame.Frame, _ time.Time) trace.Reason {
	f = f.Clone()
	f.FinishChecksum()
	ip, err := frame.ParseIP(f.Data[frame.EthernetHeader:])
	switch {
	case err != nil:
		return trace.IPHeader
	case ip.Src() != a.config.Addr && ip.Src() != a.config.Addr6:
		return trace.InsideSource
	case a.config.Refuses != nil:
		if r := a.config.Refuses(ip.Dst()); r != trace.NoReason {
			return r
		}
	}
	a.clock.After(anywhereHop, func() {
		a.attend(ip)
		a.machine.input(ip, false)
	})
	return trace.NoReason
}

// attend makes sure that somebody listens where a packet goes.
func (a *Anywhere) attend(ip frame.IP) {
	t, ok := ip.Tuple()
	switch {
	case !ok:
	case t.Proto == frame.ProtoTCP && a.machine.services[t.DstPort] == nil:
		a.machine.ServeTCP(t.DstPort, patient)
	case t.Proto == frame.ProtoUDP && a.machine.sockets[t.DstPort] == nil:
		a.machine.ServeUDP(t.DstPort, Echo)
	}
}

// owns implements network.
func (a *Anywhere) owns(netip.Addr) bool { return true }

// source implements network.
func (a *Anywhere) source(t frame.Tuple) (way, error) {
	if t.Dst().Is6() {
		return way{src: worldwide[clientAddr], mtu: 1500}, nil
	}
	return way{src: clientAddr, mtu: 1500}, nil
}

// transmit implements network.
func (a *Anywhere) transmit(b []byte) {
	if a.gateway == nil {
		return
	}
	a.clock.After(anywhereHop, func() { a.gateway.InputUplink(a.uplink, frame.Frame{Data: b}, a.clock.Now()) })
}

// Bound is Anywhere behind an uplink whose address belongs to somebody else, the host: the uplink gives out the ports. Its
// choices are those of the real one as far as they can be told: an inside endpoint keeps the port that it has, another
// one keeps its own number if that is free.
type Bound struct {
	*Anywhere
	ports map[endpoint]uint16
	taken map[uint32]bool // protocol and port
}

type endpoint struct {
	addr  frame.Addr
	port  uint16
	proto uint8
}

// NewBound makes such an outside, for a gateway that has these connections already.
func NewBound(a *Anywhere, conns []nat.Conn) *Bound {
	b := &Bound{a, map[endpoint]uint16{}, map[uint32]bool{}}
	for _, c := range conns {
		if c.SNAT && c.Reply.Dst() == a.config.Addr {
			b.note(endpoint{c.Original.SrcIP, c.Original.SrcPort, c.Original.Proto}, c.Reply.DstPort)
		}
	}
	return b
}

func (b *Bound) note(inside endpoint, port uint16) {
	b.ports[inside] = port
	b.taken[uint32(inside.proto)<<16|uint32(port)] = true
}

// Bind implements nat.Binder.
func (b *Bound) Bind(want nat.Binding, _ time.Time) (netip.AddrPort, trace.Reason) {
	t := want.Tuple
	inside := endpoint{t.SrcIP, t.SrcPort, t.Proto}
	if port, ok := b.ports[inside]; !ok || !want.Ports.Contains(port) {
		port, first := t.SrcPort, max(want.Ports.Min, 1)
		if !want.Ports.Contains(port) || port == 0 {
			port = first
		}
		for begin := port; b.taken[uint32(t.Proto)<<16|uint32(port)]; {
			if port++; !want.Ports.Contains(port) || port == 0 {
				port = first
			}
			if port == begin {
				return netip.AddrPort{}, trace.NATNoPort
			}
		}
		b.note(inside, port)
	}
	return netip.AddrPortFrom(b.config.Addr, b.ports[inside]), trace.NoReason
}

// Release implements nat.Binder. The world of a question is over before a port is scarce.
func (b *Bound) Release(frame.Tuple) {}

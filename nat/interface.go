package nat

import (
	"net/netip"
	"slices"

	"uswitch/arp"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// nobody stands for the address of an interface that has none. As a sender's it means just that (RFC 5227 1.1), and it is the
// broadcast address of no network.
var nobody = netip.PrefixFrom(netip.IPv4Unspecified(), 32)

// note says in the trace whence a packet has come that came in by an uplink, and how.
func (i *Interface) note(e *trace.Event) {
	p, ok := e.Network()
	if !ok || i.machine == nil || p.IsICMP() {
		return
	}
	if src := p.Src(); i.machine.IsMachine(src) {
		e.Note, e.Addr = trace.UplinkMachine, src
	}
	if p.Proto() != frame.ProtoTCP || p.IsFragment() {
		return
	}
	if t, ok := frame.ParseTCP(p.Payload()); ok && t.Flags()&(frame.SYN|frame.ACK) == frame.SYN {
		e.Note = trace.UplinkAccepted
	}
}

// Name returns the name that rules and the trace use.
func (i *Interface) Name() string { return i.name }

// Addr returns the gateway's address of IPv4 on this interface, with the network's prefix; the zero Prefix if it has none.
func (i *Interface) Addr() netip.Prefix {
	if a := i.self().Addr; a != nobody {
		return a
	}
	return netip.Prefix{}
}

// Addrs returns all addresses of IPv4 that the gateway has on this interface, the one that Addr returns first.
func (i *Interface) Addrs() []netip.Prefix {
	own := i.self()
	if own.Addr == nobody {
		return nil
	}
	return append([]netip.Prefix{own.Addr}, own.More...)
}

// self is who the interface is on its network. Both parts change together, or not at all.
func (i *Interface) self() arp.Self { return *i.own.Load() }

// Has reports whether an address is one of the gateway's own on this interface.
func (i *Interface) Has(a netip.Addr) bool { return i.own.Load().Has(a) }

// everyone reports whether an address is that of everyone on one of the interface's networks.
func (i *Interface) everyone(a netip.Addr) bool {
	own := i.own.Load()
	return a == frame.BroadcastOf(own.Addr) ||
		slices.ContainsFunc(own.More, func(p netip.Prefix) bool { return a == frame.BroadcastOf(p) })
}

// addrFor returns the address from which a neighbour is spoken to: that of its network, or else the first.
func (i *Interface) addrFor(neighbor netip.Addr) netip.Addr {
	own, _ := i.own.Load().For(neighbor)
	return own.Addr()
}

// sourceFor returns the address that the gateway's own packets to dst carry, which leave by the interface to the next hop: in IPv4 that
// of the next hop's network, in IPv6 one of the destination's scope (RFC 6724 5, rules 2 and 8). The invalid Addr: it has none.
func (i *Interface) sourceFor(dst, nextHop netip.Addr) netip.Addr {
	switch {
	case dst.Is6() && linkScope(dst):
		return i.linkLocal()
	case dst.Is6():
		return i.addrFor(dst)
	case !i.Addr().IsValid():
		return netip.Addr{}
	}
	return i.addrFor(nextHop)
}

// primary returns the first address of the packet's family, of IPv6 the first that is not link-local.
func (i *Interface) primary(p frame.IP) netip.Addr {
	own := i.own.Load()
	if p.Is4() {
		return own.Addr.Addr()
	}
	for _, a := range own.V6 {
		if !a.Addr().IsLinkLocalUnicast() {
			return a.Addr()
		}
	}
	return i.linkLocal()
}

// linkLocal returns the interface's link-local address, the invalid Addr where there is no IPv6.
func (i *Interface) linkLocal() netip.Addr {
	if own := i.own.Load(); len(own.V6) > 0 {
		return own.V6[0].Addr()
	}
	return netip.Addr{}
}

// hasIPv6 reports whether the gateway speaks IPv6 there.
func (i *Interface) hasIPv6() bool { return len(i.own.Load().V6) > 0 }

// speaks reports whether the interface has an address of the packet's family.
func (i *Interface) speaks(p frame.IP) bool {
	if p.Is4() {
		return i.Addr().IsValid()
	}
	return i.hasIPv6()
}

// linkScope reports whether an IPv6 address means something on one link only: it is never routed (RFC 4291 2.5.6, 2.7).
func linkScope(a netip.Addr) bool {
	return a.Is6() && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast())
}

// Addrs6 returns the gateway's addresses of IPv6 on this interface, the link-local one first; none where it does not speak IPv6.
func (i *Interface) Addrs6() []netip.Prefix { return slices.Clone(i.own.Load().V6) }

// allAddrs returns all addresses of both families.
func (i *Interface) allAddrs() []netip.Prefix { return append(i.Addrs(), i.own.Load().V6...) }

// MAC returns the hardware address; zero on an uplink that takes IP packets.
func (i *Interface) MAC() frame.MAC { return i.self().MAC }

// MTU returns how large an IP packet may leave here, in bytes.
func (i *Interface) MTU() int { return i.config.MTU }

// IsUplink reports whether the interface takes IP packets rather than frames.
func (i *Interface) IsUplink() bool { return i.uplink != nil }

// InterfaceCounters count IP packets and ARP since the interface was added.
type InterfaceCounters struct{ RxPackets, RxBytes, RxDropped, TxPackets, TxBytes, TxDropped uint64 }

// Counters returns what went through so far.
func (i *Interface) Counters() InterfaceCounters {
	return InterfaceCounters{i.rx.packets.Load(), i.rx.bytes.Load(), i.rxDrops.Load(),
		i.tx.packets.Load(), i.tx.bytes.Load(), i.txDrops.Load()}
}

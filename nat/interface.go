package nat

import (
	"net/netip"
	"slices"

	"uswitch/arp"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// nobody stands for the address of a leg that has none. As a sender's it means just that (RFC 5227 1.1), and it is the
// broadcast address of no network.
var nobody = netip.PrefixFrom(netip.IPv4Unspecified(), 32)

// note says in the trace whence a packet has come that came in by an uplink, and how.
func (i *Interface) note(e *trace.Event) {
	p, ok := e.IPv4()
	if !ok || !i.machine.IsValid() || p.Proto() == frame.ProtoICMP {
		return
	}
	if p.Src() == i.machine {
		e.Note, e.Addr = trace.UplinkMachine, i.machine
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

// Addr returns the gateway's address on this leg, with the network's prefix; the zero Prefix if it has none.
func (i *Interface) Addr() netip.Prefix {
	if a := i.self().Addr; a != nobody {
		return a
	}
	return netip.Prefix{}
}

// Addrs returns all addresses of the gateway's on this leg, the one that Addr returns first.
func (i *Interface) Addrs() []netip.Prefix {
	own := i.self()
	if own.Addr == nobody {
		return nil
	}
	return append([]netip.Prefix{own.Addr}, own.More...)
}

// self is who the leg is on its network. Both parts change together, or not at all.
func (i *Interface) self() arp.Self { return *i.own.Load() }

// everyone reports whether an address is that of everyone on one of the leg's networks.
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

// MAC returns the hardware address; zero on an uplink that takes IP packets.
func (i *Interface) MAC() frame.MAC { return i.self().MAC }

// MTU returns how large an IP packet may leave here, in bytes.
func (i *Interface) MTU() int { return i.config.MTU }

// IsUplink reports whether the leg takes IP packets rather than frames.
func (i *Interface) IsUplink() bool { return i.uplink != nil }

// InterfaceCounters count IP packets and ARP since the interface was added.
type InterfaceCounters struct{ RxPackets, RxBytes, RxDropped, TxPackets, TxBytes, TxDropped uint64 }

// Counters returns what went through so far.
func (i *Interface) Counters() InterfaceCounters {
	return InterfaceCounters{i.rx.packets.Load(), i.rx.bytes.Load(), i.rxDrops.Load(),
		i.tx.packets.Load(), i.tx.bytes.Load(), i.txDrops.Load()}
}

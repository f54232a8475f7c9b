package nat

import (
	"net/netip"
	"slices"
	"time"

	"uswitch/arp"
	"uswitch/nat/rule"
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

// Bridge shows what a switch carries from port to port to the gateway's rules, as br_netfilter does in Linux where
// nf_call_iptables is set: a packet passes raw's PREROUTING and FORWARD with the network's name for both interfaces, and
// its connection is tracked, but nothing is routed or translated. It is a vswitch.Filter. The gateway need not stand on
// the network.
type Bridge struct {
	gw   *Gateway
	self *Interface // of the network's name; it has no address and is in no list
}

// Bridge returns the filter for the network of that name, which is asked for no more than the names of its ports.
func (g *Gateway) Bridge(name string, network Segment) *Bridge {
	self := &Interface{gw: g, number: g.number(name), name: name, segment: network}
	self.own.Store(&arp.Self{Addr: nobody})
	return &Bridge{gw: g, self: self}
}

// Bridged reports whether a frame may go on to other ports, and tells the journey which rule has decided. Only IPv4 packets
// are shown to the rules. It neither keeps nor changes the frame, and may be called from many goroutines.
func (b *Bridge) Bridged(f frame.Frame, j *trace.Journey, now time.Time) bool {
	e, ok := frame.ParseEthernet(f.Data)
	if !ok || e.Type() != frame.TypeIPv4 {
		return true
	}
	g := b.gw
	f.Source = b.self.source(f)
	p := &packet{f: f, in: b.self, srcMAC: e.Src(), toGroup: e.Dst().IsGroup(), j: j, now: now}
	if r := p.parse(); r != trace.NoReason {
		g.drop(p, trace.Prerouting, r)
		return false
	}
	// Fragments are not put together here, because they go on as they are: the rules see their addresses and no ports.
	if !p.ip.IsFragment() {
		if r := p.readTransport(); r != trace.NoReason {
			g.drop(p, trace.Prerouting, r)
			return false
		}
	}
	if !b.passes(p, rule.Raw, trace.Prerouting) {
		return false
	}
	g.track(p)
	if !b.passes(p, rule.Mangle, trace.Prerouting) {
		return false
	}
	p.out = b.self
	if !b.passes(p, rule.Mangle, trace.Forward) || !b.passes(p, rule.Filter, trace.Forward) ||
		!b.passes(p, rule.Mangle, trace.Postrouting) {
		return false
	}
	if r := g.enter(p); r != trace.NoReason {
		g.drop(p, trace.Forward, r)
		return false
	}
	return true
}

// passes asks a table's rules. Who is refused is sent no word: the gateway may have no address from which it could.
func (b *Bridge) passes(p *packet, table rule.Table, hook trace.Hook) bool {
	if table != rule.Filter && b.gw.rules.Snapshot().Pass(table, hook, len(p.ip)) {
		return true
	}
	d := b.gw.evaluate(p, table, hook)
	if r := d.Reason(); r != trace.NoReason {
		b.gw.dropBy(p, hook, r, d)
		return false
	}
	if table == rule.Filter && p.j.On() {
		e := p.event(hook, trace.Accept, trace.NoNote)
		e.Rule, e.Chain, e.Target = d.Text, d.Chain, d.Target
		p.emit(e)
	}
	return true
}

package nat

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"uswitch/arp"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

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
	Tuple  frame.Tuple // the flow so far
	Source uint64      // who sends it: see frame.Frame
	Ports  PortRange   // those that the rule names; the zero value means any
	Random bool        // the rule wants another port than the sender's own
}

// Machiner is an Uplink that has an address for this machine itself: TCP and UDP that come from there have never been outside.
// What this machine says about packets does not come from there: see Undelivered. Its sockets carry what comes in, so that its
// kernel has connected a client of TCP before the gateway hears of it.
type Machiner interface{ Machine() netip.Addr }

// InterfaceConfig describes an Interface. Exactly one of Segment and Uplink is given.
type InterfaceConfig struct {
	Name    string         // as rules and the trace call it: br0, uplink
	Addr    netip.Prefix   // the gateway's address there and the network's prefix; with Segment it may be absent: see SetAddr
	More    []netip.Prefix // further addresses there
	MAC     frame.MAC      // with Segment
	MTU     int            // bytes of an IP packet; 0 means 1500
	Segment Segment
	Uplink  Uplink
	// Shared says, of an uplink, that Addr is the address of somebody else too, the host that the gateway is a program of.
	// What networks send there over TCP or UDP, and no rule has led elsewhere, is for that host: it leaves by the uplink, and
	// answers come in with Addr as their source.
	Shared bool
}

// Interface is one leg of the gateway.
type Interface struct {
	gw      *Gateway
	number  uint32 // in the sources of what comes in
	config  InterfaceConfig
	name    string
	own     atomic.Pointer[arp.Self] // see self
	uplink  Uplink
	binder  Binder     // the uplink, if it is one
	machine netip.Addr // what stands for this machine itself on the uplink, if anything does
	segment Segment

	neighbors *arp.Cache[held]
	announces atomic.Int32 // gratuitous ARPs still to send
	announce  atomic.Int64 // when, in nanoseconds since the gateway's epoch

	rx, tx           counter
	rxDrops, txDrops atomic.Uint64
}

type counter struct{ packets, bytes atomic.Uint64 }

func (c *counter) count(n int) {
	c.packets.Add(1)
	c.bytes.Add(uint64(n))
}

// source returns who sent a frame that came in by the leg; a network without a switch, as the outside, is one sender.
func (i *Interface) source(f frame.Frame) uint64 { return uint64(i.number)<<32 | f.Source&(1<<32-1) }

// port returns the name of the port by which a frame of that source came in by the leg; empty if there was none, or nobody
// knows.
func (i *Interface) port(source uint64) string {
	if i == nil || source>>32 != uint64(i.number) {
		return ""
	}
	if s, ok := i.segment.(Porter); ok {
		return s.PortName(uint32(source))
	}
	return ""
}

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

// hasPort reports whether a source is a port of a switch, behind which one host is.
func hasPort(source uint64) bool { return source&(1<<32-1) != 0 }

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

// Input takes a frame that the switch hands to its local port; it makes Interface a vswitch.Station. The frame's bytes
// are borrowed until it returns, and may be changed.
func (i *Interface) Input(f frame.Frame, j *trace.Journey, now time.Time) {
	i.rx.count(len(f.Data))
	f.Source = i.source(f)
	e, ok := frame.ParseEthernet(f.Data)
	p := packet{f: f, in: i, j: j, now: now}
	switch {
	case !ok:
		i.gw.drop(&p, trace.Input, trace.PktTooSmall)
	case !e.Dst().IsGroup() && e.Dst() != i.self().MAC:
		i.gw.drop(&p, trace.Input, trace.OtherHost)
	case e.Type() == frame.TypeARP:
		i.gw.arp(&p, e)
	case e.Type() == frame.TypeIPv4:
		p.srcMAC, p.toGroup = e.Src(), e.Dst().IsGroup()
		i.gw.path(&p)
	default:
		i.gw.drop(&p, trace.Input, trace.NotIPv4)
	}
}

package sim

import (
	"net/netip"
	"slices"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Step is something that a host does with a packet, which no switch and no gateway sees.
type Step struct {
	Host     string
	Kind     StepKind
	NIC      string
	Packet   frame.IP   // as it is at this step; nil: it is about ARP alone
	Addr     netip.Addr // whose MAC address is asked for, or used
	MAC      frame.MAC
	Decision Decision
	// Drop names what ends the packet here, in the trace's words or in one of this package's; empty: it goes on.
	Drop string
	// Unknown says what is not known of this step; empty: everything is.
	Unknown string
	Only    bool   // what is not known can only drop
	Shown   string // the command that shows what is not evaluated, typed in the host
}

// StepKind says what a step is.
type StepKind string

// The kinds.
const (
	StepRoute    StepKind = "route"     // the way of a packet that the host sends
	StepNIC      StepKind = "interface" // what keeps an interface from sending
	StepArrive   StepKind = "arrive"    // what a packet that has come in is to the host
	StepForward  StepKind = "forward"
	StepDeliver  StepKind = "deliver" // to a program, or to the kernel itself
	StepNeighbor StepKind = "neighbor"
	StepARP      StepKind = "arp"    // the host answers a question of ARP, or does not
	StepUnseen   StepKind = "unseen" // something decides here that is not evaluated
)

// What ends a packet in a host, where no reason of the trace's says it.
const (
	DropBlackhole   = "blackhole"
	DropUnreachable = "host-unreachable"
	DropProhibit    = "prohibited"
	DropBroadcast   = "broadcast"
	DropMartian     = "source-not-believed"
	DropNotForward  = "not-a-router"
	DropEcho        = "echo-ignored"
	DropOtherMAC    = "other-mac"
	DropARPOff      = "arp-off"
	DropARPIgnored  = "arp-ignored"
	DropGroup       = "group-ignored"
	DropNoSource    = "no-source-address" // the host has none of IPv6 that it could send from
)

// Unseen is something that decides in a host and is not evaluated: it is there, and that is all that is known.
type Unseen struct {
	At    Point
	NIC   string // empty: all
	Text  string // 3 firewall rules of its own
	Shown string // the command that shows it, typed in the host; empty: none is known
	Only  bool   // it can only drop
	Drops bool   // it drops everything
}

// Point is where in a host something looks at packets: netfilter's hooks, and the interface's own.
type Point string

// The points.
const (
	AtIngress     Point = "ingress"
	AtPrerouting  Point = "prerouting"
	AtInput       Point = "input"
	AtForward     Point = "forward"
	AtOutput      Point = "output"
	AtPostrouting Point = "postrouting"
	AtEgress      Point = "egress"
	AtARPIn       Point = "arp in"
	AtARPOut      Point = "arp out"
)

// Witness lets f see every step of every host from now on, on the world's goroutine.
func (w *World) Witness(f func(Step)) {
	for _, h := range w.hosts {
		h.witness = f
	}
}

// tell tells whoever wants to know of a step.
func (h *Host) tell(s Step) {
	if h.witness != nil {
		s.Host = h.name
		s.Packet = slices.Clone(s.Packet)
		h.witness(s)
	}
}

// pass lets whatever is at a point look at a packet (nil: ARP). It reports false where that drops everything.
func (h *Host) pass(at Point, nic string, ip frame.IP, about netip.Addr) bool {
	for _, u := range h.unseen {
		if u.At != at || u.NIC != "" && u.NIC != nic {
			continue
		}
		s := Step{Kind: StepUnseen, NIC: nic, Packet: ip, Addr: about, Shown: u.Shown}
		if u.Drops {
			s.Drop = trace.PolicyDrop.String()
			h.tell(s)
			return false
		}
		s.Unknown, s.Only = h.name+" has "+u.Text+": not looked at", u.Only
		h.tell(s)
	}
	return true
}

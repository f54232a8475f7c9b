package sim

import (
	"bytes"
	"net/netip"
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// Underlay is the network between machines in memory: it carries datagrams between the ends of tunnels. Every machine is one hop from
// every other. It belongs to its scheduler's goroutine.
type Underlay struct {
	time   Scheduler
	ends   map[netip.AddrPort]func(Carried)
	beyond bool // other machines may be there: what they do is not known, and what they are sent is taken
}

// Carried is datagrams that stand one behind the other, each of Size bytes but the last.
type Carried struct {
	Data []byte // the receiver's own
	Size int
	From netip.AddrPort
	TOS  uint8
}

// Of the network between machines: what a datagram takes, and the largest packet.
const (
	underlayLatency = time.Millisecond
	underlayMTU     = 1500
)

// NewUnderlay makes one without machines.
func NewUnderlay(s Scheduler) *Underlay {
	return &Underlay{time: s, ends: map[netip.AddrPort]func(Carried){}}
}

// Open has what is sent to an address and port taken from now on.
func (u *Underlay) Open(at netip.AddrPort, take func(Carried)) { u.ends[at] = take }

// Close is the opposite of Open.
func (u *Underlay) Close(at netip.AddrPort) { delete(u.ends, at) }

// Socket returns what sends from a machine.
func (u *Underlay) Socket(local netip.AddrPort) UnderlaySocket {
	return UnderlaySocket{u, local.Addr()}
}

// UnderlaySocket sends for one machine. It is a vxlan.Socket.
type UnderlaySocket struct {
	*Underlay
	local netip.Addr
}

// sources is how many ports a machine sends from, the first of which is firstSource.
const sources, firstSource = 16, 50000

// Source implements vxlan.Socket.
func (s UnderlaySocket) Source(flow uint32) netip.AddrPort {
	return netip.AddrPortFrom(s.local, firstSource+uint16(flow%sources))
}

// Send implements vxlan.Socket.
func (s UnderlaySocket) Send(b []byte, size int, flow uint32, to netip.AddrPort, tos uint8) (r trace.Reason, fits int) {
	if most := underlayMTU - frame.IPv4Header - frame.UDPHeader; min(size, len(b)) > most {
		return trace.PktTooBig, most
	}
	take := s.ends[to]
	if take == nil && s.beyond {
		return trace.NoReason, 0
	}
	if take == nil {
		return trace.Unreachable, 0 // there is no such machine
	}
	d := Carried{Data: bytes.Clone(b), Size: size, From: s.Source(flow), TOS: tos}
	s.time.After(underlayLatency, func() {
		if take := s.ends[to]; take != nil {
			take(d)
		}
	})
	return trace.NoReason, 0
}

package rule

import (
	"time"

	"uswitch/switch/frame"
)

// Packet is what rules look at. It is a flat value that Evaluate does not keep: it may live on the caller's stack and be
// used again. Evaluate writes Mark and nothing else.
type Packet struct {
	Tuple             frame.Tuple // of the packet as it is at this hook
	InIface, OutIface string      // empty where the hook has none
	SrcMAC            frame.MAC
	HasMAC            bool // SrcMAC is known: the packet came in an Ethernet frame
	Fragment          bool // a second or further fragment: it has no transport header
	TCPFlags          frame.TCPFlags
	ICMPType          uint8
	ICMPCode          uint8
	Length            int // of the IP packet in bytes, as counters count it
	Mark              uint32

	State       ConnState
	Orig, Reply frame.Tuple // the connection's two tuples; zero without one
	Direction   Direction

	Types AddrTyper // asked by -m addrtype; nil knows only what an address says by itself
	Now   time.Time // for -m limit
}

// typeOf asks what an address is.
func (p *Packet) typeOf(addr [4]byte, iface string) AddrType {
	if p.Types != nil {
		return p.Types.AddrType(addr, iface)
	}
	switch {
	case addr == [4]byte{}, addr == [4]byte{255, 255, 255, 255}:
		return TypeBroadcast
	case addr[0]>>4 == 14:
		return TypeMulticast
	case addr[0] == 127:
		return TypeLocal
	}
	return TypeUnicast
}

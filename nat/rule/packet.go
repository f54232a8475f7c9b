package rule

import (
	"time"

	"uswitch/switch/frame"
)

// Packet is what rules look at. It is a flat value that Evaluate does not keep: it may live on the caller's stack and be
// used again. Evaluate writes Mark and MSS and nothing else.
type Packet struct {
	Tuple             frame.Tuple // of the packet as it is at this hook
	InIface, OutIface string      // empty where the hook has none
	SrcMAC            frame.MAC
	HasMAC            bool // SrcMAC is known: the packet came in an Ethernet frame
	Fragment          bool // a second or further fragment: it has no transport header
	TCPFlags          frame.TCPFlags
	ICMPType          uint8
	ICMPCode          uint8
	TTL               uint8 // as it is at this hook
	Length            int   // of the IP packet in bytes, as counters count it
	Mark              uint32
	MSS               MSS // what TCPMSS asks for; the caller does it

	State       ConnState
	Orig, Reply frame.Tuple // the connection's two tuples; zero without one
	Direction   Direction
	Conn        any // the same connection for Conns; nil without one

	Types AddrTyper   // asked by -m addrtype; nil knows only what an address says by itself
	Now   time.Time   // for -m limit and -m recent
	Conns ConnCounter // for -m connlimit
	Dice  Dice        // for -m statistic
}

// MSS is how TCPMSS limits the maximum segment size that a SYN offers. The zero value leaves it.
type MSS struct {
	Set   bool   // to Value at most
	Value uint16 // in bytes
	Clamp bool   // to what fits through the interfaces on the way, both directions
	Rule  *Rule  // the last one that asked for less; it may be kept
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

package rule

import (
	"net/netip"
	"strings"
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
func (p *Packet) typeOf(addr frame.Addr, iface string) AddrType {
	if p.Types != nil {
		return p.Types.AddrType(addr, iface)
	}
	switch a := addr.IP(); {
	case a.IsUnspecified(), a == everyone:
		return TypeBroadcast
	case a.IsMulticast():
		return TypeMulticast
	case a.IsLoopback():
		return TypeLocal
	}
	return TypeUnicast
}

// ConnState is what connection tracking says of a packet: one of the states, and with it whether the connection is
// translated. The zero value is a packet that no connection is known for, which counts as invalid.
type ConnState uint8

// The states and the two virtual ones, in the order in which they are printed.
const (
	StateInvalid ConnState = 1 << iota
	StateNew
	StateRelated
	StateEstablished
	StateUntracked
	StateSNAT // the connection's source was translated
	StateDNAT // the connection's destination was translated
)

var stateNames = []struct {
	name  string
	state ConnState
}{
	{"INVALID", StateInvalid},
	{"NEW", StateNew},
	{"RELATED", StateRelated},
	{"ESTABLISHED", StateEstablished},
	{"UNTRACKED", StateUntracked},
	{"SNAT", StateSNAT},
	{"DNAT", StateDNAT},
}

// withoutConn are the states of a packet that belongs to no connection.
const withoutConn = StateInvalid | StateUntracked

// tracked reports whether the packet belongs to a connection.
func (s ConnState) tracked() bool { return s != 0 && s&withoutConn == 0 }

// orInvalid is the state with the zero value spelled out.
func (s ConnState) orInvalid() ConnState {
	if s == 0 {
		return StateInvalid
	}
	return s
}

// parseStates reads a list with commas; the beginning of a name is enough, as in iptables. allowed are the states that the
// option named word takes.
func parseStates(arg, word string, allowed ConnState) (states ConnState, err error) {
next:
	for part := range strings.SplitSeq(arg, ",") {
		for _, n := range stateNames {
			short := part != "" && len(part) <= len(n.name) && strings.EqualFold(n.name[:len(part)], part)
			if short && n.state&allowed != 0 {
				states |= n.state
				continue next
			}
		}
		return 0, usage("Bad %s \"%s\"", word, part)
	}
	return states, nil
}

// String returns the names with commas.
func (s ConnState) String() string {
	var names []string
	for _, n := range stateNames {
		if s&n.state != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ",")
}

// Direction is the direction of a packet within its connection. The zero value is the first packet's.
type Direction uint8

// The directions.
const (
	Original Direction = iota
	Reply
)

// parseDirection reads the argument of --ctdir.
func parseDirection(arg string) (Direction, error) {
	switch {
	case strings.EqualFold(arg, "ORIGINAL"):
		return Original, nil
	case strings.EqualFold(arg, "REPLY"):
		return Reply, nil
	}
	return 0, usage("conntrack: Bad value for \"--ctdir\" option: \"%s\"", arg)
}

// everyone is the limited broadcast address (RFC 919 7).
var everyone = netip.AddrFrom4([4]byte{255, 255, 255, 255})

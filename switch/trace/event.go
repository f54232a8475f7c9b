package trace

import (
	"encoding/binary"
	"net/netip"
	"time"

	"uswitch/switch/frame"
)

// Event is one step of a packet's journey: a flat value that nobody has to allocate. Strings and the slice Ports belong
// to long-lived configuration and may be kept; Frame is borrowed until the listener returns (a Ring copies it).
type Event struct {
	Time    time.Time
	Packet  uint64 // id of the journey in this lab, from 1
	Hop     uint32 // 1, 2, 3 ... within the journey
	Hook    Hook
	Verdict Verdict
	Reason  Reason // on a drop, else NoReason
	Note    Note   // the case that decided

	Where string   // the network's name, "gateway", or the uplink's name
	Port  string   // the port it concerns: ingress, learn, egress, bridge and route; a network's port to the gateway is "gateway"
	Ports []string // of a loop, the ports behind which a station is heard by turns; on a flood, the ports that take such frames; Port, where it came from, is among them and got no copy
	Local bool     // on a flood, the gateway gets it too
	From  string   // on a station move, the port where it lived before; on an address conflict, where Other is
	Came  string   // the port of a switch by which the journey began; empty where it began elsewhere, or nobody knows

	Rule   string        // the rule that decided, in iptables syntax, or the policy
	Chain  string        // the chain that Rule stands in, "FORWARD" or a user's; empty without Rule
	Target string        // the target's name: ACCEPT, MASQUERADE
	Conn   uint64        // connection id, 0 while there is none
	Before frame.Tuple   // the packet's tuple as it came to this hop; zero Proto and addresses if it has none
	After  frame.Tuple   // on a rewrite, the tuple afterwards
	Addr   netip.Addr    // the address that Note speaks of
	MAC    frame.MAC     // the station that Note speaks of
	Other  frame.MAC     // on an address conflict, the station that has claimed Addr before
	Prefix netip.Prefix  // the route that matched; at forward too, where a drop can then say which rule would mend it
	Age    time.Duration // how long ago the table learned what it answered
	Count  uint32        // fragments or segments as Note says; on pkt-too-big and frag-needed the MTU; on a flood the ports left out

	Size uint32 // what Count was before, in bytes

	Outer Outer // at encap and decap, what the frame travels in

	Length int         // of the whole frame in bytes; Frame.Data may be cut to a snap length
	IP     bool        // Frame is a bare IP packet (on an uplink), not an Ethernet frame
	Frame  frame.Frame // the packet as it is at this hop
}

// Events may carry only the first bytes of a frame, so what the printers read is read more leniently than on the path:
// a packet that is longer than its bytes is no fault here.

// layers returns the EtherType and payload of the event's frame; ok is false if there is no header to read.
func (e *Event) layers() (etherType uint16, payload []byte, ok bool) {
	if e.Outer.Raw {
		return 0, nil, false
	}
	if e.IP {
		if len(e.Frame.Data) == 0 {
			return frame.TypeIPv4, nil, false
		}
		return frame.IP(e.Frame.Data).EtherType(), e.Frame.Data, true
	}
	eth, ok := frame.ParseEthernet(e.Frame.Data)
	if !ok {
		return 0, nil, false
	}
	return eth.Type(), eth.Payload(), true
}

// IPv4 returns the IPv4 packet in the event's frame, as far as its bytes go.
func (e *Event) IPv4() (frame.IPv4, bool) {
	etherType, payload, ok := e.layers()
	if !ok || etherType != frame.TypeIPv4 {
		return nil, false
	}
	return frame.ParseClippedIPv4(payload)
}

// Network returns the packet of the network layer in the event's frame, IPv4 or IPv6, as far as its bytes go.
func (e *Event) Network() (frame.IP, bool) {
	etherType, payload, ok := e.layers()
	if !ok || etherType != frame.TypeIPv4 && etherType != frame.TypeIPv6 || len(payload) == 0 {
		return nil, false
	}
	p, ok := frame.ParseClippedIP(payload)
	return p, ok && p.EtherType() == etherType
}

// totalLength is what the header says, however many bytes are there.
func totalLength(p frame.IP) int {
	if p.Is4() {
		return int(binary.BigEndian.Uint16(p[2:4]))
	}
	return frame.IPv6Header + int(binary.BigEndian.Uint16(p[4:6]))
}

// length is that of the whole frame in bytes.
func (e *Event) length() int { return max(e.Length, len(e.Frame.Data)) }

//go:generate go tool stringer -type Hook,Verdict,Reason -linecomment -output names.go

// Hook is a place on the path where something is decided. The five netfilter names mean what they mean in Linux:
//
//	    a tunnel > decap                                                 encap > a tunnel
//	              |                                                        ^
//	       network or uplink                                            network or uplink
//	              |                                                             ^
//	           ingress                                                        egress
//	              v                                                             |
//	learn > bridge > arp    prerouting > route > forward > postrouting > neighbor
//	                                       |                    ^
//	                                       v                    |
//	                                     input               output
//	                                       +---- the gateway ---+
type Hook uint8

// The hooks, in the order in which a packet can meet them. The zero value is invalid.
const (
	Decap       Hook = iota + 1 // decap
	Ingress                     // ingress
	Learn                       // learn
	Bridge                      // bridge
	ARP                         // arp
	Prerouting                  // prerouting
	Route                       // route
	Input                       // input
	Forward                     // forward
	Output                      // output
	Postrouting                 // postrouting
	Neighbor                    // neighbor
	Egress                      // egress
	Encap                       // encap

	hookEnd
)

// Verdict is what was done with the packet at a hook. The zero value is invalid.
type Verdict uint8

// The verdicts.
const (
	Accept  Verdict = iota + 1 // accept
	Unicast                    // forward
	Flood                      // flood
	Local                      // local
	Rewrite                    // rewrite
	Queue                      // queue
	Consume                    // consume
	Drop                       // drop

	verdictEnd
)

// Hooks returns every hook in order.
func Hooks() []Hook {
	all := make([]Hook, 0, hookEnd-1)
	for h := Decap; h < hookEnd; h++ {
		all = append(all, h)
	}
	return all
}

// ParseHook finds a hook by its name.
func ParseHook(name string) (Hook, bool) {
	for h := Decap; h < hookEnd; h++ {
		if h.String() == name {
			return h, true
		}
	}
	return 0, false
}

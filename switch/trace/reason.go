package trace

// Reason is why a packet was dropped. The list is closed: a packet ends with one of these or it was delivered. Names
// follow the kernel's skb_drop_reason (include/net/dropreason-core.h) where it has one, in lower case.
type Reason uint8

// Reasons of layer 2. NoReason, the zero value, means that the packet was not dropped.
const (
	NoReason      Reason = iota // none
	PktTooSmall                 // pkt-too-small
	PktTooBig                   // pkt-too-big
	BadOffload                  // bad-offload
	GroupSource                 // group-source
	MACSpoof                    // mac-spoof
	ReservedGroup               // reserved-group
	SamePort                    // same-port
	Storm                       // storm
	Loop                        // loop
	Isolated                    // isolated
	RAGuard                     // ra-guard
	NDGuard                     // nd-guard
	DHCPGuard                   // dhcp-guard
	NoFlood                     // no-flood
	NoOtherPort                 // no-other-port
	PortDown                    // port-down
	PortGone                    // port-gone
	PortDisabled                // port-disabled
	BridgeLoop                  // bridge-loop
	TxError                     // tx-error
	PortFault                   // port-fault
	NICQueue                    // nic-queue-full
	SocketQueue                 // socket-queue-full

	// Tunnels to other machines. The first two have the kernel's names.
	VXLANHeader   // vxlan-invalid-hdr
	VXLANVNI      // vxlan-vni-not-found
	VXLANPeer     // vxlan-unknown-vtep
	VXLANOwn      // vxlan-own-packet
	VXLANNoRemote // vxlan-no-remote
	TunnelECN     // ip-tunnel-ecn

	// ARP and neighbours.
	BadARP         // bad-arp
	ARPSender      // arp-sender
	ARPForeign     // arp-foreign
	ARPLoop        // arp-loop
	NeighFailed    // neigh-failed
	NeighRemoved   // neigh-removed
	NeighQueueFull // neigh-queuefull
	NeighTableFull // neigh-createfail

	// Neighbour discovery.
	BadND         // bad-nd
	NDDistant     // nd-hop-limit
	NDFragment    // nd-fragment
	NDSender      // nd-sender
	ForeignRouter // foreign-router

	// IP at the gateway.
	NotIP          // unhandled-ethertype
	NoIPv6         // no-ipv6
	ExtensionChain // ipv6-extension-chain
	BeyondScope    // beyond-scope
	OtherHost      // otherhost
	IPHeader       // ip-inhdr
	IPChecksum     // ip-csum
	IPOptions      // ip-options
	SourceRoute    // ip-source-route
	Martian        // martian
	SpoofedSource  // ip-rpfilter
	OwnSource      // own-source
	NoAddress      // no-address
	Directed       // directed-broadcast
	BadICMP        // icmp-csum
	BadL4          // l4-inhdr
	BadL4Checksum  // l4-csum
	NoForwarding   // ip-forward-off
	NoRoute        // ip-innoroutes
	TTLExpired     // ttl-expired
	FragNeeded     // frag-needed
	FragBad        // frag-bad
	FragTimeout    // frag-reasm-timeout
	FragNoMem      // frag-nomem
	FragDuplicate  // dup-frag
	NoProto        // unhandled-proto
	NoSocket       // no-socket
	NoGroup        // no-group-socket
	Unanswered     // unanswered
	Limited        // rate-limited

	// Rules, connections and translation.
	RuleDrop      // netfilter-drop
	RuleReject    // netfilter-reject
	PolicyDrop    // policy-drop
	Invalid       // ct-invalid
	SourceLimit   // ct-source-limit
	DialRate      // dial-rate
	NATNoPort     // nat-no-port
	NoConnForICMP // icmp-no-conn

	// The ways out.
	NoUplink      // no-uplink
	UplinkClosed  // uplink-closed
	UplinkProto   // uplink-proto
	UplinkTooBig  // uplink-too-big
	UplinkForbid  // uplink-forbidden
	UplinkError   // uplink-error
	ClientGone    // client-gone
	InsideSource  // inside-source
	ForeignSource // foreign-source
	HostForbidden // host-forbidden
	HostUnknown   // host-unknown
	Refused       // refused
	Unreachable   // unreachable
	TimedOut      // timed-out
	NoMem         // nomem
	NoICMPSocket  // no-icmp-socket
	TCPFlags      // tcp-flags
	AckUnsent     // tcp-ack-unsent-data
	UplinkFault   // uplink-fault

	// What the gateway does besides.
	GatewayFault // gateway-fault

	reasonEnd
)

// Sentence says in words that a student understands what the reason means and, where it helps, what to do about it.
func (r Reason) Sentence() string {
	if r < reasonEnd {
		return sentences[r]
	}
	return ""
}

// Reasons returns every reason for a drop, in order.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonEnd-1)
	for r := NoReason + 1; r < reasonEnd; r++ {
		all = append(all, r)
	}
	return all
}

var sentences = [reasonEnd]string{
	NoReason:      "the packet was not dropped",
	PktTooSmall:   "shorter than its own header, 14 bytes for Ethernet, 20 for IPv4 and 40 for IPv6: nobody can say where it should go",
	PktTooBig:     "larger than the MTU of the port that it should leave by: a switch cannot cut frames, only the sender can send smaller ones",
	BadOffload:    "its offload header asks for something impossible (checksum or segments outside the frame)",
	GroupSource:   "its source address is a group or all zeroes: no station can have such an address, so it is not believed",
	MACSpoof:      "its source address belongs to the gateway or to another port by configuration: somebody pretends to be somebody else",
	ReservedGroup: "addressed to the switch itself (01:80:c2:00:00:0X): such frames never pass through a bridge",
	SamePort:      "the receiver is behind the port it came from: it has it already",
	Storm:         "this port floods more frames per second than its limit (to everyone, to a group, or to a receiver whose place nobody knows): a loop, or a station gone mad; the rest of them waits outside",
	Loop:          "there is a loop: a station was heard behind two ports by turns, hundreds of times a second; for some seconds it is believed only where it was before, and nothing goes from one of the two ports to the other",
	Isolated:      "the port that it comes from is isolated, and so is every port that it should leave by: isolated ports may talk to the gateway and to ordinary ports only",
	RAGuard:       "a router advertisement of a host, whose word all hosts here would take for it that it is their router: if it is to be one, `uswitch set port HOST ra_guard=off` lets it say so",
	NDGuard:       "it says that an IPv6 address is at this host which the lab has given to another, or the gateway has: somebody pretends to be somebody else (`uswitch set port HOST nd_guard=off` lets it)",
	DHCPGuard:     "an answer of a DHCP server, which this host is not to be: `uswitch set port HOST dhcp_guard=off` lets it be one",
	NoFlood:       "it is for everyone, for a group, or for a receiver whose place nobody knows, and the flags of all other ports leave such frames out",
	NoOtherPort:   "there is nobody else on this network",
	PortDown:      "the receiver's interface is down: bring it up with `ip link set eth0 up` inside",
	PortGone:      "the port was just unplugged",
	PortDisabled:  "the port is down, or the bridge that it is on: bring both up with `uswitch ip link set NAME up`",
	BridgeLoop:    "it has crossed seven cables between switches: they make a circle, and it would go round for ever",
	TxError:       "the receiver's interface did not take it: its queue is full or it is going away",
	PortFault:     "the port failed on this frame and was unplugged; the other ports go on",
	SocketQueue:   "datagrams came from outside faster than they are taken in, and the queue of this machine's own socket was full: they never came into the lab (`drops` of /proc/net/udp)",
	NICQueue:      "a host has sent faster than the switch reads, and its own interface's queue was full: they never left the host (TX dropped of `ip -s link` inside)",

	VXLANHeader:   "it reached a tunnel's port but is no VXLAN packet: shorter than 8 bytes, or without the flag that says that its network number (VNI) is valid",
	VXLANVNI:      "it is for a VNI that no network here has: the other machine's network has another number, or it is not for this machine",
	VXLANPeer:     "it comes from a machine that is none of the tunnel's peers, and those alone are believed: add its address to `peers`",
	VXLANOwn:      "it comes from this tunnel's own address: it has sent this itself, or another machine has taken its address",
	VXLANNoRemote: "no machine is known behind which the receiver lives, and there is no peer to send such frames to",
	TunnelECN:     "a router on the way between the machines has marked the outer packet as delayed by congestion, and the inner one does not understand such marks (RFC 6040)",

	BadARP:         "not an ARP packet for IPv4 over Ethernet, or one that neither asks nor answers",
	ARPSender:      "an ARP packet whose sender cannot be: its MAC is not the frame's own, or its IP address can be no station's (loopback, a group, the network's first or last)",
	ARPForeign:     "asks for the gateway's address from an address of another network, to which no answer would find: give the asker an address of this network",
	ARPLoop:        "the gateway's own ARP packet has come back to it: there is a loop",
	NeighFailed:    "nobody answered when the gateway asked who has this address (three times, a second apart)",
	NeighRemoved:   "it waited for a neighbour's answer, and the neighbour's entry, or the gateway's address there, was removed meanwhile",
	NeighQueueFull: "too many packets already wait for this neighbour's answer",
	NeighTableFull: "the gateway already asks for as many neighbours as its table holds",

	BadND:         "not a message of neighbour discovery that can be believed: too short, an option without length, or addresses that cannot be",
	NDDistant:     "its hop limit is not 255: a router has passed it on, so it does not come from this link, and nobody believes it",
	NDFragment:    "a message of neighbour discovery in fragments, which none is so long as to need (RFC 6980): somebody hides it from those who look at packets",
	NDSender:      "the MAC address that it tells is not that of the frame it came in: somebody speaks for somebody else",
	ForeignRouter: "the gateway takes no advice from other routers",

	NotIP:          "the gateway speaks IPv4, IPv6 and ARP only",
	NoIPv6:         "this network has no IPv6: `enable_ipv6: true` in the lab file gives it some",
	ExtensionChain: "its extension headers are cut short, or more than eight: nobody can see what is behind them",
	BeyondScope:    "a link-local address (fe80::) means something on its own link only: no router passes on what comes from one or goes to one",
	OtherHost:      "it reached the gateway but is addressed to somebody else",
	IPHeader:       "its IP header is damaged: version, header length or total length cannot be true",
	IPChecksum:     "its IPv4 header checksum is wrong: it was damaged on the way",
	IPOptions:      "an IP option or extension header is malformed, or asks for what nobody here knows",
	SourceRoute:    "it wants to choose its own route (source routing), which nobody allows any more",
	Martian:        "its source or destination can never appear on a wire (loopback, 240.0.0.0/4, a group or everyone as the source, 0.0.0.0/8 and :: but for who asks for an address), or both are the same",
	SpoofedSource:  "its source address does not belong to the network it came from: it is forged, or the host is misconfigured",
	OwnSource:      "its source is an address of the gateway itself, which has not sent it: somebody pretends to be the gateway",
	NoAddress:      "the gateway has no address on the network that it came from, and so takes nothing from there that is for one receiver: `uswitch ip addr add` gives it one",
	Directed:       "it is for everyone on a whole network, and a router sends no such broadcast there",
	BadICMP:        "its ICMP checksum is wrong or its message is cut short",
	BadL4:          "its TCP or UDP header is damaged or cut short",
	BadL4Checksum:  "its TCP or UDP checksum is wrong: it was damaged on the way",
	NoForwarding:   "ip_forward is 0: the gateway keeps packets for others to itself; turn it on with `uswitch set gateway ip_forward=1`",
	NoRoute:        "no route leads to its destination",
	TTLExpired:     "its time to live (hop limit) ran out at this hop",
	FragNeeded:     "too big for the next link, and only its sender may cut it (DF in IPv4, always in IPv6)",
	FragBad:        "a fragment that overlaps, leaves the packet's 65,535 bytes or is not a multiple of 8: its whole packet is thrown away",
	FragTimeout:    "the other fragments of its packet did not arrive within 30 seconds",
	FragNoMem:      "too many unfinished packets wait for their fragments",
	FragDuplicate:  "the very same fragment is here already, and waits for the others",
	NoProto:        "the gateway itself does not speak this IP protocol",
	NoSocket:       "nothing at the gateway listens on this port",
	NoGroup:        "said to everyone or to a group, and nothing at the gateway listens to that",
	Unanswered:     "an ICMP message to the gateway that no program there waits for: only pings are answered",
	Limited:        "too many of these in one second: an answer is withheld",

	RuleDrop:      "a rule says DROP",
	RuleReject:    "a rule says REJECT: its sender is told, but where frames are bridged",
	PolicyDrop:    "no rule lets it through, and the chain's policy is DROP",
	Invalid:       "it belongs to no connection and cannot begin one, so no rule has translated its source, and nobody outside knows the way back to that",
	SourceLimit:   "who sends this (a host, or all outside together) has more connections than its share already: others keep theirs",
	DialRate:      "this host begins more connections a second that do not come about than one may: TCP tries again by itself, and others keep theirs",
	NATNoPort:     "no address and port are free to translate this connection to",
	NoConnForICMP: "an ICMP error about a connection that nobody here has",

	NoUplink:      "the lab has no way out: give it one with `x-uswitch: {uplink: host}`",
	UplinkClosed:  "the way out was taken away while it was on its way",
	UplinkProto:   "the host uplink carries TCP, UDP and pings only, for sockets carry no more; `uplink: netns:NAME` carries everything",
	UplinkTooBig:  "larger than what this machine's socket sends in one piece",
	UplinkForbid:  "this machine's own firewall (OUTPUT) or one of its routes (blackhole, prohibit) forbids it",
	UplinkError:   "this machine's own network did not take it: its queue is full, or the connection is being closed",
	ClientGone:    "an answer to a client on this machine that has not been heard of for so long that it is forgotten",
	ForeignSource: "its source is neither an inside network's address nor that of the way out (`uswitch ip addr`), so no answer would come back here: a rule translates it to an address that the lab does not have",
	InsideSource:  "it left with the address of an inside network as its source, and nobody outside knows the way back to that: masquerade it",
	HostUnknown:   "this machine did not say whether the address is one of its own, for want of memory most likely: what is not known is closed to the lab, as its own addresses are",
	HostForbidden: "the host's own addresses, its loopback and the link-local ones are closed to the lab; `x-uswitch: {allow_host: true}` opens them",
	Refused:       "the other side refused",
	Unreachable:   "the outside world says that it cannot be reached",
	TimedOut:      "nobody answered in time",
	NoMem:         "no memory or file descriptor was left for it",
	NoICMPSocket:  "this machine lets uswitch send no such message: `sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"` allows echo requests, and errors are root's",
	TCPFlags:      "a segment of a connection that acknowledges nothing: each has the ACK flag once the connection stands, and TCP discards the others",
	AckUnsent:     "it acknowledges bytes that nobody has sent yet: TCP discards the whole segment",
	UplinkFault:   "the way out failed on this packet, which is lost; the lab goes on",

	GatewayFault: "the gateway failed on something that it does by itself, as time passes or for its own programs; the lab goes on",
}

// Package nat is the gateway: the station on every switch that routes, filters and translates, as the Docker host does
// with the kernel's IP stack, netfilter and conntrack. One Gateway serves a whole lab: one Interface on each network, and
// one for each way out.
//
//	  br0                  br1                            the outside
//	   |                    |                                  |
//	Interface            Interface                         Interface
//	(Segment: a switch)  (Segment)                         (Uplink: host sockets, an internet in memory)
//	   |                    |                                  |
//	===+====================+==================================+==  Gateway.path: ingress > conntrack > prerouting
//	                        |                                        > route > forward > postrouting > neighbor > egress
//	                 the gateway itself: ARP, ICMP echo, ICMP errors
//
// Read path.go first: the whole layer-3 path is there, from top to bottom. Each file uses what stands below it and nothing
// above it:
//
//	tick       what time has made due: Tick, Run
//	path       Input, InputUplink, output, postrouting, route        bridge    the rules, asked about bridged frames
//	local      what ends at the gateway                              arp       ARP packets
//	translate  choose    conntrack's answer, and what rules make of it
//	address              interfaces come, go, and change their addresses
//	fragment   neighbor   filter   mss                               steps that the path calls
//	icmp                 what a packet's sender is told
//	check      rewrite   socket   interface   conns                  the packet's bytes; who takes it
//	packet     gateway   config   limit                              what all of them know
//
// Three arrows run back up, and have to: local and icmp send packets of the gateway's own, which take the path from its
// beginning (send, in path.go); Gateway holds the table of fragments, which are packets. Connection tracking is package conntrack.
//
// A packet travels with EthernetHeader bytes of room in front of its IP header, wherever it comes from, so that it can
// leave by a network without being copied. Bytes are lent for the call and may be changed by it; what has to wait is
// copied. Input and InputUplink may be called from many goroutines at once. Rules, routes and interfaces are immutable
// snapshots; connections, neighbours and fragments have a lock each, and no two locks nest.
package nat

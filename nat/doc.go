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
// Read path.go first: the whole layer-3 path is there, from top to bottom. Connection tracking is package conntrack,
// translation in translate.go and choose.go, what the gateway says itself in local.go and icmp.go, its own programs in socket.go.
//
// A packet travels with EthernetHeader bytes of room in front of its IP header, wherever it comes from, so that it can
// leave by a network without being copied. Bytes are lent for the call and may be changed by it; what has to wait is
// copied. Input and InputUplink may be called from many goroutines at once. Rules, routes and interfaces are immutable
// snapshots; connections, neighbours and fragments have a lock each, and no two locks nest.
package nat

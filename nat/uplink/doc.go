// Package uplink is the ways out of a lab.
//
//	uplink     what the outside sees                                    needs
//	Host       traffic of this very process: ordinary host sockets      nothing (ICMP echo: a sysctl or root)
//	Netns      real packets, translated, on a TAP in a namespace        a TAP
//	none       nothing: give the gateway no default route, and what     nothing
//	           wants out is dropped for trace.NoRoute and refused
//
// Host is most of the package. Packets that leave come in at Output, what comes back goes to the function given to
// Attach, and in between there are only sockets:
//
//	                nat.Gateway
//	      Output |               ^ Attach's deliver
//	   +---------+---------+-----+----------------------------+
//	   |         |         |                                  |
//	  TCP       UDP    ICMP echo        published TCP    published UDP
//	   |         |         |                  |               |
//	netstack     |         |               netstack           |        (package netstack, one Stack)
//	   |         |         |                  |               |
//	 splice      |         |               splice             |
//	   |         |         |                  |               |
//	connect   sendto   ping or raw          accept         recvfrom
//	   +---------+---------+------------------+---------------+
//	                   the host's kernel
//
// Both families go one way: what differs are the sockets (socket.go), the headers that are written in front of what they
// read (inject.go), and that an IPv6 datagram as large as the inside's packets or smaller leaves unfragmented or not at all.
//
// A port is reserved by binding a socket (Bind), so the translation that the trace shows is what the outside sees. One
// inside endpoint has one outside port whatever it talks to (endpoint-independent mapping, RFC 4787 REQ-1, RFC 5382
// REQ-1, RFC 5508 REQ-1). Which answers get in is the gateway's connection table's decision: address- and
// port-dependent filtering (RFC 4787 REQ-8b).
//
// TCP is terminated, because no unprivileged socket sends somebody else's segments. It is honest all the same: the host
// connects first, and only when the other side has answered is the inside handshake completed. Refused is a RST,
// unreachable is an ICMP error, silence is silence. What termination cannot carry: simultaneous open, urgent data as
// such, TTL but that of the SYN, which goes along (traceroute -T), and keepalives, which each side answers for itself. UDP
// and ICMP echo carry TTL, type of service and DF both ways, and ICMP errors come back inside out.
//
// Netstack does the sequence accounting of a connection; most of its bytes do not go through it. Those that leave in their
// turn are in the host's socket before netstack hears of them (cut-through, cutthrough.go), and a few bytes are accounted for
// at once rather than by a goroutine of netstack's (netstack.go).
//
// What one host inside may make this machine spend is bounded (limits.go): sockets, connections, and connections a second that
// do not come about, for a SYN costs a goroutine, a socket and a connect that its sender's port is not charged with.
//
// Datagrams stay together where they come together: what the kernel has put together goes in as one frame (HostConfig.GSO,
// receive.go) and what one frame stands for goes out with one system call. What waits at a socket is read many at a time
// (mmsg_linux.go). Nothing is held back for that: a single datagram goes on at once.
//
// Read bind.go, then output.go; tcp.go is the way of a connection, listen.go that of a published port.
package uplink

// Package vxlan carries the frames of one network between machines, in UDP packets (RFC 7348), as the kernel's vxlan device
// does.
//
//	  vswitch.Port vx0                                vswitch.Port vx1
//	          |                                               |
//	+---------+----------+                          +---------+----------+
//	| Link     VNI 42    |                          | Link     VNI 43    |    a Link is a port's: it knows behind which
//	| MAC -> machine     |                          | MAC -> machine     |    machine (VTEP) each MAC lives
//	+---------+----------+                          +---------+----------+
//	          |                                               |
//	+---------+-----------------------------------------------+----------+
//	| Endpoint    192.168.50.1:4789                                      |    all networks of one address and port
//	+---------+----------------------------------------------------------+
//	          |                                       ^
//	       Socket.Send                          Endpoint.Input
//	 to 192.168.50.2:4789, from one of                |
//	 16 ports: the inner flow chooses           what arrived at 4789
//
// A frame from the switch goes to the machine behind which its receiver lives, or a copy to every peer (head-end replication):
// Link.Encap. A frame from another machine never goes back into the tunnel, since a switch floods to all ports but the one it came
// by (split horizon). Only peers are believed, and what they send tells where stations live: Endpoint.Input.
//
// The packet:
//
//	| IP | UDP to 4789 | flags 0x08, 24 bits 0 | VNI in 24 bits, 8 bits 0 | Ethernet frame |
//
// It is never cut on the way (DF): a network's MTU is smaller by 50 bytes than that of the outer one. Congestion that a router
// on the way has marked is the inner packet's to know (RFC 6040). Link is a vswitch.Tunnel. Methods may be called from many
// goroutines, but for Endpoint.Input and Flush, which belong to the one that reads the socket.
package vxlan

// Package vswitch is an Ethernet switch: the part of a Linux bridge that moves frames, in the order in which a frame
// meets it.
//
//	         RED            BLUE           GREEN
//	          |              |               |          Link   a TAP, a simulated wire, a tunnel
//	      +---+---+      +---+---+       +---+---+
//	      | Port  |      | Port  |       | Port  |      one goroutine reads each link and calls Input
//	      +---+---+      +---+---+       +---+---+
//	          |              |               |
//	==========+==============+===============+========= Switch.Input: ingress > learn > bridge > egress
//	                         |
//	                     +---+---+
//	                     | local |                      Station: the gateway, which is br0's own address in Linux
//	                     +-------+
//
// Read input.go first: the whole path is there, from top to bottom. The forwarding table is in fdb.go, what a port may
// do in port.go, who gets a flooded frame in portset.go.
//
// A Switch is one network and knows nothing but layer 2. It follows IEEE 802.1D-2004 clauses 7.7 to 7.9 (without spanning
// tree) and the Linux bridge where the standard leaves a choice. Unlike the Linux bridge it has no limit on ports.
//
// Frames are lent: Input borrows the bytes until it returns, a Link borrows them until Write returns, and nobody below
// keeps them. Input and Output may be called from many goroutines; the frames of one port stay in order because one
// goroutine reads it and carries each frame to the end. After a number of frames it lets the others go first (run.go): a host
// that floods takes its share and no more.
package vswitch

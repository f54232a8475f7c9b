// Package vswitch is an Ethernet switch: the part of a Linux bridge that moves frames, in the order in which a frame
// meets it.
//
//	     RED             BLUE          other machines      another switch
//	      |                |                 |                   |
//	 TAP or simulated   ...             Tunnel             patch: a cable        Link, what a port is plugged into
//	 interface             |            (VXLAN)            between switches
//	      |                |                 |                   |
//	  +---+---+        +---+---+         +---+---+           +---+---+
//	  | Port  |        | Port  |         | Port  |           | Port  |           a goroutine reads each link (a tunnel's
//	  +---+---+        +---+---+         +---+---+           +---+---+           and a cable's sender is it) and calls Input
//	      |                |                 |                   |
//	==+===+================+=================+===================+===== Switch.Input: ingress > learn > bridge > egress
//	  |                         |
//	  |                      Filter    the gateway's rules, asked about what goes from port to port (br_netfilter)
//	+-+-----+
//	| local |    Station: the gateway, which is br0's own address in Linux
//	+-------+
//
// Read input.go first: the whole path is there, from top to bottom. What it asks:
//
//	learn   move   fdb   index   where a station lives; who moves, who sends in a loop; the table and its hash index
//	port    portset              what a port may do, who gets a flooded frame
//	send                         egress: MTU, tunnels, super-frames; every drop
//	inspect claims               the guards; who claims which address by ARP or neighbour discovery, for conflicts
//	run     replug   patch       reading a link, plugging in again after a fault, cables
//	fork                         a copy of all of it, to try something on
//
// A Switch is one network and knows nothing but layer 2, for IPv4 and IPv6 alike; of what is above it reads only who claims to have
// an address, to be a router or a DHCP server. It follows IEEE 802.1D-2004 clauses 7.7 to 7.9 (without spanning tree) and the Linux bridge where the standard leaves a choice.
// Unlike the Linux bridge it has no limit on ports.
//
// A frame may come unfinished, as from a sender with offload: a super-frame that stands for many, or without its checksum. It
// stays whole on its way. A link that does not take it so gets what frame.Segmenter makes of it (Finisher).
//
// Frames are lent: Input borrows the bytes until it returns, a Link borrows them until Write returns, and nobody below
// keeps them. Input and Output may be called from many goroutines; the frames of one port stay in order because one
// goroutine reads it and carries each frame to the end. After a number of frames it lets the others go first (run.go): a host
// that floods takes its share and no more.
package vswitch

// Package netstack is gVisor's TCP/IP behind a cable at whose other end is the gateway. The uplink of host sockets terminates
// TCP in one, and the programs of the gateway have their sockets in another.
//
//	uplink.Host        station.Station
//	        \            /
//	     Stack: stack.Stack with one interface, NIC
//	             |                        ^
//	        WritePackets       Input: at once; InputLater: by a goroutine of the Stack's
//	             |                        |
//	             v                        |
//	        Config.Send            whoever has a packet for it
//	             \                       /
//	                    the gateway
//
// A Stack stands in for many hosts: it takes packets for any address (promiscuous) and sends from any (spoofing). Packets are IP
// packets without a link header; those that it sends have EthernetHeader bytes of room in front.
package netstack

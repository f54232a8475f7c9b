// Package pcap writes trace events as a pcapng capture (draft-ietf-opsawg-pcapng): one file for a whole lab, in which a
// frame appears once for every step it took. The step is the interface (RED ingress, br0 flood, gateway postrouting), the
// sentence is the packet's comment, and the journey's number is its epb_packetid, so that Wireshark can follow a packet
// through the lab.
//
//	frame  interface           comment
//	1      RED ingress         02:42:0b:0b:0b:02 > 02:42:0b:0b:0b:01
//	2      br0 local           02:42:0b:0b:0b:01 is the gateway's own address
//	3      gateway forward     ACCEPT by -A FORWARD -s 11.11.11.0/24 -j ACCEPT; ttl now 63
//
// Blocks are written whole, one Write each, and only ever appended: what is there after a crash or on a full disk opens.
package pcap

// Package join puts two captures of one network side by side: what crossed a tunnel is one journey on each machine, and here the
// two halves stand beside each other.
//
//	a.pcapng                              b.pcapng
//	#12  RED ingress                      #7   vx0 decap
//	     br0 flood                             br0 bridge
//	     vx0 encap   -- datagram -->           BLUE egress
//
// A half that ends with encap and one that begins with decap belong together if the same datagram is in both: the same VNI, the
// same ends, the same frame inside. Frames that are equal to the byte, such as an ARP request asked twice, are taken in order; where one
// machine has more of them than the other, nobody can say which is which, and that is told.
//
// Two machines have two clocks. A frame that went one way shows the difference and its delay added up, one that went the other
// way the difference less its delay: both together bound the difference, one way alone bounds it on one side only.
package join

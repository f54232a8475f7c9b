// Package frame holds the words that every other package speaks: MAC addresses, flow tuples, views over the bytes of
// headers, Internet checksums, and the offload metadata that travels with a frame.
//
//	Frame.Data      | Ethernet | ARP                                              |
//	                |          | IP: IPv4 or IPv6 | ICMP  ICMPv6 (and in it ND)   |
//	                |          |                  | UDP   TCP   VXLAN behind UDP  |
//	Frame.Offload   what its sender has left undone: a checksum, or the cutting of a super-frame (GSO)
//	Frame.Source    the port by which it came
//
//	a super-frame                        a packet                           a packet and its Tuple
//	Segmenter | ^ Merger    AppendFragment | ^ Fragments                  IP.Rewrite | addresses, ports and
//	          v |                          v |                                       v checksums (RFC 1624)
//	frames that fit the wire             fragments that fit the MTU         the packet of another Tuple
//
// A view is a named byte slice. Its Parse function checks, once, that everything the accessors touch is there; after
// that the accessors are free and cannot panic. Views never copy: whoever owns the bytes owns the view. A Put function writes a
// header and returns its view; nowhere else in the tree are headers written. IP is whichever of the two families the first byte
// says, for those who need not know.
//
// What the data path calls allocates nothing: views, Put functions, IP.Rewrite, Segmenter; an Append function grows its buffer as
// append does. Nothing locks or reads a clock. Everything may be used from many goroutines as long as nobody writes to the bytes
// meanwhile; a Segmenter, a Merger and a table of Fragments belong to one.
package frame

// Package frame holds the words that every other package speaks: MAC addresses, flow tuples, views over the bytes of
// Ethernet, ARP, IPv4, IPv6, ICMP of both, UDP and TCP, Internet checksums, and the offload metadata that travels with a frame.
//
// A view is a named byte slice. Its Parse function checks, once, that everything the accessors touch is there; after
// that the accessors are free and cannot panic. Views never copy: whoever owns the bytes owns the view. But for the lists
// of a router advertisement nothing in this package allocates, locks or reads a clock, and everything may be used from many goroutines as long as nobody writes to
// the bytes meanwhile.
package frame

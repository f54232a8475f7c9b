// Package nd is neighbour discovery (RFC 4861): what ARP is to IPv4, and more. It notes what the stations of a link say to each
// other in ICMPv6 in the neighbour table of package arp, which is one for both families, and says what a message means to the
// station that the table belongs to. Package frame reads, judges and writes the messages.
//
//	solicitation    who has this address?         to the group of all whose addresses end like it, so that few others wake
//	advertisement   it is here                    to who has asked, or to all, when an address is new or has moved
//	router ...      is a router there, and what are this link's networks?
//
// It keeps no state of its own, reads no clock and sends nothing.
package nd

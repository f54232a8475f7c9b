// Package tcpdump is tcpdump for the devices of a lab: it takes its options and its filters, and prints a line for each
// frame as tcpdump 4.99 does with -n. Frames come from the control socket, as they pass.
//
//	GET /v1/frames --> filter --> Printer --> 07:09:56.972672 ARP, Request who-has 11.11.11.3 tell 11.11.11.2, length 28
//	                         \--> a pcap file
//
// Decoded are ARP, IPv4, ICMP, TCP, UDP, DNS, the first line of HTTP, and of IPv6 the same and no more. What else there is
// has a line with its addresses and its length. Names are never looked up, whatever the options are.
package tcpdump

// Package tcpdump is tcpdump for the devices of a lab: it takes its options and its filters, and prints a line for each
// frame as tcpdump 4.99 does with -n. Frames come from the control socket, as they pass.
//
//	GET /v1/frames --> filter --> Printer --> 07:09:56.972672 ARP, Request who-has 11.11.11.3 tell 11.11.11.2, length 28
//	                         \--> a pcap file
//
// Decoded is what labs carry, as far as tcpdump tells it on one line:
//
//	link       Ethernet, VLAN tags, LLC, STP and its kin, LLDP, ARP and RARP
//	network    IPv4, IPv6 and its headers, ICMP, ICMPv6 with neighbor discovery and MLD, IGMP
//	routers    OSPF 2 and 3, RIP, PIM, VRRP, BGP by name
//	tunnels    GRE, VXLAN, IP in IP; ESP and AH
//	hosts      TCP, UDP, DHCP and DHCPv6, DNS, NTP, SNMP, the first line of HTTP, SSH, FTP and SMTP
//
// What else there is has a line with its addresses and its length, or its bytes, as of what a tcpdump does not know. Names are
// never looked up, whatever the options are.
package tcpdump

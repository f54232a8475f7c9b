// Package hosttool answers the commands that people type on the machine that tutorials call the host - ip, bridge, brctl,
// route, arp, ifconfig, ss - for the gateway of a lab and its switches.
//
//	uswitch bridge fdb show br br0 --> words --> control socket --> rows --> package view --> the real program's text
//
// It reads the words of the real programs, those of Debian 12: iproute2 6.1, bridge-utils 1.7, net-tools 2.10. A word that
// they know and this package does not is refused by name, with the status that they have for a mistake; nothing is
// ignored. The machine that is shown has a bridge for each network, a pair of devices for each cable of a host, an uplink,
// and lo.
package hosttool

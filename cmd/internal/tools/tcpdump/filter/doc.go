// Package filter reads what tutorials write of pcap-filter(7) and matches frames by it.
//
//	expression = term { ( and | or | nothing, which is and ) term }    both bind the same, from the left
//	term       = ( not | ! ) term | "(" expression ")" | primitive
//	primitive  = ip | ip6 | arp | rarp | tcp | udp | icmp | icmp6
//	           | [ether|ip|ip6|arp|rarp|tcp|udp] [src|dst|src or dst|src and dst] [host|net|port|portrange] ID
//	           | ether|ip|ip6 proto NAME | [ether|ip] broadcast | [ether|ip] multicast | less N | greater N
//
// An ID without words in front has those of the ID before it: host RED or BLUE. The names of hosts are the lab's. Other words
// of the language - vlan, gateway, expressions in brackets - are refused by name.
package filter

package rule

import "strings"

// Protocols beside those of package frame that have a rule of their own here (IANA).
const (
	protoDCCP    = 33
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// protocolNames are the names that iptables prints: /etc/protocols as Debian has it.
var protocolNames = map[uint8]string{
	1: "icmp", 2: "igmp", 3: "ggp", 4: "ipencap", 5: "st", 6: "tcp", 8: "egp", 9: "igp", 12: "pup", 17: "udp",
	20: "hmp", 22: "xns-idp", 27: "rdp", 29: "iso-tp4", 33: "dccp", 36: "xtp", 37: "ddp", 38: "idpr-cmtp",
	41: "ipv6", 43: "ipv6-route", 44: "ipv6-frag", 45: "idrp", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah",
	57: "skip", 58: "ipv6-icmp", 59: "ipv6-nonxt", 60: "ipv6-opts", 73: "rspf", 81: "vmtp", 88: "eigrp",
	89: "ospf", 93: "ax.25", 94: "ipip", 97: "etherip", 98: "encap", 103: "pim", 108: "ipcomp", 112: "vrrp",
	115: "l2tp", 124: "isis", 132: "sctp", 133: "fc", 135: "mobility-header", 136: "udplite", 137: "mpls-in-ip",
	138: "manet", 139: "hip", 140: "shim6", 141: "wesp", 142: "rohc", 143: "ethernet",
}

// protocolNumbers is the way back, with the spellings that iptables knows besides.
var protocolNumbers = func() map[string]uint8 {
	numbers := map[string]uint8{"all": 0, "ip": 0, "hopopt": 0, "icmpv6": protoICMPv6, "ipv6-mh": 135, "mh": 135}
	for number, name := range protocolNames {
		numbers[name] = number
	}
	return numbers
}()

// protocolName returns the name of a protocol, or its number.
func protocolName(number uint8) string {
	if name := protocolNames[number]; name != "" {
		return name
	}
	return decimal(number)
}

// parseProtocol reads a number or a name, in any case of letters; all, and 0, are any protocol.
func parseProtocol(arg string) (uint8, error) {
	if n, ok := parseNumber(arg, 255); ok {
		return uint8(n), nil
	}
	if n, ok := protocolNumbers[strings.ToLower(arg)]; ok {
		return n, nil
	}
	return 0, usage("unknown protocol \"%s\" specified", arg)
}

package filter

import "strings"

// split cuts a filter into words; parentheses and the signs for and, or and not are words of their own.
func split(text string) []string {
	signs := strings.NewReplacer("(", " ( ", ")", " ) ", "&&", " and ", "||", " or ", "!=", " != ", "!", " not ")
	return strings.Fields(signs.Replace(text))
}

// unanswered are words of the language that this package does not know.
var unanswered = []string{"vlan", "mpls", "pppoed", "pppoes", "geneve", "gateway", "sctp", "ah", "esp", "pim", "igmp", "igrp", "vrrp", "carp",
	"protochain", "inbound", "outbound", "ifindex", "ifname", "len", "llc", "stp", "iso", "decnet", "atalk", "aarp", "lat", "ipx",
	"netbeui", "fddi", "tr", "wlan", "link", "ppp", "slip", "radio", "rulenum", "reason", "action", "iface", "rset"}

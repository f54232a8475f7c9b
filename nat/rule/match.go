package rule

import "strings"

// match is a condition that -m loads. The set of them is closed: holds knows each.
type match interface {
	extension
	save(b *strings.Builder)               // the options, each with a leading blank
	list(b *strings.Builder, numeric bool) // the same for a listing
}

// stateful is a match that remembers something between packets, shared by all rulesets that hold its rule.
type stateful interface {
	match
	fresh() match // the same condition as in the morning
	fork() match  // the same, as it is now, with a memory of its own
}

// newMatch makes a match by its name, or nil where there is none.
func newMatch(f Family, name string) match {
	switch name {
	case "tcp":
		return &tcpMatch{src: allPorts, dst: allPorts}
	case "udp":
		return &udpMatch{src: allPorts, dst: allPorts}
	case "icmp":
		if f == IPv4 {
			return &icmpMatch{family: f}
		}
	case "icmp6", "icmpv6", "ipv6-icmp":
		if f == IPv6 {
			return &icmpMatch{family: f}
		}
	case "multiport":
		return &multiportMatch{}
	case "conntrack":
		return &conntrackMatch{family: f}
	case "state":
		return &stateMatch{}
	case "addrtype":
		return &addrtypeMatch{}
	case "mark":
		return &markMatch{}
	case "comment":
		return &commentMatch{}
	case "limit":
		return &limitMatch{}
	case "mac":
		return &macMatch{}
	case "iprange":
		return &iprangeMatch{family: f}
	case "statistic":
		return &statisticMatch{mode: "random"}
	case "connlimit":
		return &connlimitMatch{family: f, prefix: f.bits()}
	case "recent":
		return &recentMatch{family: f, listName: "DEFAULT", mask: prefixMask(f, f.bits())}
	}
	return nil
}

// supportedMatches is what the error about an unknown match offers.
const supportedMatches = "addrtype comment connlimit conntrack icmp iprange limit mac mark multiport recent state statistic tcp udp"

// holds reports whether a packet meets a match's condition. It switches on the concrete type instead of calling a method of
// the interface, so that the compiler sees that nobody keeps p: a caller's Packet stays on its stack.
func holds(m match, p *Packet) bool {
	switch m := m.(type) {
	case *tcpMatch:
		return m.holds(p)
	case *udpMatch:
		return m.holds(p)
	case *icmpMatch:
		return m.holds(p)
	case *multiportMatch:
		return m.holds(p)
	case *conntrackMatch:
		return m.holds(p)
	case *stateMatch:
		return m.holds(p)
	case *addrtypeMatch:
		return m.holds(p)
	case *markMatch:
		return m.holds(p)
	case *commentMatch:
		return true
	case *limitMatch:
		return m.holds(p)
	case *macMatch:
		return m.holds(p)
	case *iprangeMatch:
		return m.holds(p)
	case *statisticMatch:
		return m.holds(p)
	case *recentMatch:
		return m.holds(p)
	case *connlimitMatch:
		return m.holds(p)
	}
	return false
}

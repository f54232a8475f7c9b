package rule

import (
	"strings"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

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
		return &connlimitMatch{family: f, prefix: f.bits(), mask: frame.AddrOf(prefixMask(f, f.bits()))}
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

// commentMatch is -m comment: words for people, true of every packet.
type commentMatch struct{ text string }

func (m *commentMatch) name() string       { return "comment" }
func (m *commentMatch) finish(*spec) error { return nil }
func (m *commentMatch) options() []option  { return []option{{name: "comment", args: 1, must: true}} }

// set keeps the first 255 bytes, as the kernel has room for no more.
func (m *commentMatch) set(g given) error {
	if hasControl(g.args[0]) {
		return usage("Newlines not allowed in --comment")
	}
	m.text = g.args[0][:min(len(g.args[0]), 255)]
	return nil
}

func (m *commentMatch) save(b *strings.Builder)         { b.WriteString(" --comment " + quote(m.text)) }
func (m *commentMatch) list(b *strings.Builder, _ bool) { b.WriteString(" /* " + m.text + " */") }

// macMatch is -m mac.
type macMatch struct {
	mac    frame.MAC
	invert bool
}

func (m *macMatch) name() string       { return "mac" }
func (m *macMatch) finish(*spec) error { return nil }

func (m *macMatch) options() []option {
	return []option{{name: "mac-source", args: 1, not: true, must: true}}
}

// set reads six numbers of one or two hexadecimal digits with colons.
func (m *macMatch) set(g given) error {
	m.invert = g.invert
	parts := strings.Split(g.args[0], ":")
	for i, part := range parts {
		n, ok := parseNumber("0x"+part, 255)
		if !ok || len(part) > 2 || len(parts) != len(m.mac) {
			return usage("Invalid MAC address specified.")
		}
		m.mac[i] = byte(n)
	}
	return nil
}

// forbids reports whether the packets of a hook have no source MAC address yet.
func (m *macMatch) forbids(h trace.Hook) string {
	if h == trace.Output || h == trace.Postrouting {
		return "-m mac"
	}
	return ""
}

// holds is false for a packet that came without an Ethernet header, even if the rule is inverted, as in the kernel.
func (m *macMatch) holds(p *Packet) bool { return p.HasMAC && (p.SrcMAC == m.mac) != m.invert }

func (m *macMatch) save(b *strings.Builder) {
	writeNot(b, m.invert)
	b.WriteString(" --mac-source " + m.mac.String())
}

func (m *macMatch) list(b *strings.Builder, _ bool) {
	b.WriteString(" MAC")
	writeNot(b, m.invert)
	b.WriteString(" " + m.mac.String())
}

package rule

import (
	"strings"

	"uswitch/switch/frame"
)

// icmpMatch is -m icmp, or -m icmp6 of ip6tables: one type, with one code or all of them.
type icmpMatch struct {
	family      Family
	typ         uint8 // of IPv4, 255 stands for every type
	low, high   uint8 // codes
	invert, any bool
	given       bool
}

func (m *icmpMatch) name() string {
	if m.family == IPv6 {
		return "icmp6"
	}
	return "icmp"
}

// option is the name of the only option.
func (m *icmpMatch) option() string {
	if m.family == IPv6 {
		return "icmpv6-type"
	}
	return "icmp-type"
}

func (m *icmpMatch) options() []option {
	return []option{{name: m.option(), args: 1, not: true, must: true}}
}

func (m *icmpMatch) set(g given) (err error) {
	m.typ, m.low, m.high, err = parseICMPType(m.family, g.args[0])
	m.given, m.invert, m.any = true, g.invert, m.family == IPv4 && m.typ == 255
	return err
}

func (m *icmpMatch) finish(s *spec) error {
	if !m.given {
		return nil // what is missing is said of the option
	}
	if m.family == IPv6 && !s.proto.is(protoICMPv6) {
		return usage("icmp6 match requires '-p ipv6-icmp'")
	}
	if m.family == IPv4 && !s.proto.is(frame.ProtoICMP) {
		return usage("icmp match requires '-p icmp'")
	}
	return nil
}

func (m *icmpMatch) holds(p *Packet) bool {
	same := m.any || p.ICMPType == m.typ && m.low <= p.ICMPCode && p.ICMPCode <= m.high
	return !p.Fragment && same != m.invert
}

func (m *icmpMatch) save(b *strings.Builder) {
	writeNot(b, m.invert)
	b.WriteString(" --" + m.option() + " ")
	if m.any {
		b.WriteString("any")
		return
	}
	b.WriteString(decimal(m.typ))
	if m.low == 0 && m.high == 255 {
		return
	}
	b.WriteString("/" + decimal(m.low))
	if m.high != m.low {
		b.WriteString(":" + decimal(m.high))
	}
}

func (m *icmpMatch) list(b *strings.Builder, numeric bool) {
	word := " icmp"
	if m.family == IPv6 {
		word = " ipv6-icmp"
	}
	b.WriteString(word)
	if !numeric {
		if name := icmpName(m.family, m.typ, m.low, m.high); name != "" {
			b.WriteString(" " + bang(m.invert) + name)
			return
		}
	}
	if m.invert {
		b.WriteString(" !")
	}
	b.WriteString("type " + decimal(m.typ))
	if m.low == m.high {
		b.WriteString(" code " + decimal(m.low))
	} else if m.low != 0 || m.high != 255 {
		b.WriteString(" codes " + decimal(m.low) + "-" + decimal(m.high))
	}
}

// icmpType is one name of --icmp-type.
type icmpType struct {
	name           string
	typ, low, high uint8
}

// icmpTypes are iptables' names in its order, which decides between the names of one type.
var icmpTypes = []icmpType{
	{"any", 255, 0, 255},
	{"echo-reply", 0, 0, 255},
	{"pong", 0, 0, 255},
	{"destination-unreachable", 3, 0, 255},
	{"network-unreachable", 3, 0, 0},
	{"host-unreachable", 3, 1, 1},
	{"protocol-unreachable", 3, 2, 2},
	{"port-unreachable", 3, 3, 3},
	{"fragmentation-needed", 3, 4, 4},
	{"source-route-failed", 3, 5, 5},
	{"network-unknown", 3, 6, 6},
	{"host-unknown", 3, 7, 7},
	{"network-prohibited", 3, 9, 9},
	{"host-prohibited", 3, 10, 10},
	{"TOS-network-unreachable", 3, 11, 11},
	{"TOS-host-unreachable", 3, 12, 12},
	{"communication-prohibited", 3, 13, 13},
	{"host-precedence-violation", 3, 14, 14},
	{"precedence-cutoff", 3, 15, 15},
	{"source-quench", 4, 0, 255},
	{"redirect", 5, 0, 255},
	{"network-redirect", 5, 0, 0},
	{"host-redirect", 5, 1, 1},
	{"TOS-network-redirect", 5, 2, 2},
	{"TOS-host-redirect", 5, 3, 3},
	{"echo-request", 8, 0, 255},
	{"ping", 8, 0, 255},
	{"router-advertisement", 9, 0, 255},
	{"router-solicitation", 10, 0, 255},
	{"time-exceeded", 11, 0, 255},
	{"ttl-exceeded", 11, 0, 255},
	{"ttl-zero-during-transit", 11, 0, 0},
	{"ttl-zero-during-reassembly", 11, 1, 1},
	{"parameter-problem", 12, 0, 255},
	{"ip-header-bad", 12, 0, 0},
	{"required-option-missing", 12, 1, 1},
	{"timestamp-request", 13, 0, 255},
	{"timestamp-reply", 14, 0, 255},
	{"address-mask-request", 17, 0, 255},
	{"address-mask-reply", 18, 0, 255},
}

// icmp6Types are ip6tables' names.
var icmp6Types = []icmpType{
	{"destination-unreachable", 1, 0, 255},
	{"no-route", 1, 0, 0},
	{"communication-prohibited", 1, 1, 1},
	{"beyond-scope", 1, 2, 2},
	{"address-unreachable", 1, 3, 3},
	{"port-unreachable", 1, 4, 4},
	{"failed-policy", 1, 5, 5},
	{"reject-route", 1, 6, 6},
	{"packet-too-big", 2, 0, 255},
	{"time-exceeded", 3, 0, 255},
	{"ttl-exceeded", 3, 0, 255},
	{"ttl-zero-during-transit", 3, 0, 0},
	{"ttl-zero-during-reassembly", 3, 1, 1},
	{"parameter-problem", 4, 0, 255},
	{"bad-header", 4, 0, 0},
	{"unknown-header-type", 4, 1, 1},
	{"unknown-option", 4, 2, 2},
	{"echo-request", 128, 0, 255},
	{"ping", 128, 0, 255},
	{"echo-reply", 129, 0, 255},
	{"pong", 129, 0, 255},
	{"router-solicitation", 133, 0, 255},
	{"router-advertisement", 134, 0, 255},
	{"neighbour-solicitation", 135, 0, 255},
	{"neighbor-solicitation", 135, 0, 255},
	{"neighbour-advertisement", 136, 0, 255},
	{"neighbor-advertisement", 136, 0, 255},
	{"redirect", 137, 0, 255},
}

// parseICMPType reads a name, the beginning of one, a number, or type/code[:code].
func parseICMPType(f Family, arg string) (typ, low, high uint8, err error) {
	names, word := icmpTypes, "ICMP"
	if f == IPv6 {
		names, word = icmp6Types, "ICMPv6"
	}
	var found *icmpType
	for i, t := range names {
		if len(arg) > len(t.name) || !strings.EqualFold(t.name[:len(arg)], arg) {
			continue
		}
		if found != nil {
			return 0, 0, 0, usage("Ambiguous %s type `%s': `%s' or `%s'?", word, arg, found.name, t.name)
		}
		found = &names[i]
	}
	if found != nil {
		return found.typ, found.low, found.high, nil
	}
	t, rest, ok := leadingNumber(arg, 255)
	switch {
	case !ok:
		number, _, _ := strings.Cut(arg, "/")
		return 0, 0, 0, usage("Unknown %s type `%s'", word, number)
	case rest == "":
		return uint8(t), 0, 255, nil
	case rest[0] == ':':
		return 0, 0, 0, usage("%s type range not supported", word)
	case rest[0] != '/':
		return 0, 0, 0, usage("unknown character %c", rest[0])
	}
	first, rest, ok := leadingNumber(rest[1:], 255)
	last := first
	if ok && strings.HasPrefix(rest, ":") {
		last, rest, ok = leadingNumber(rest[1:], 255)
	}
	switch {
	case !ok:
		return 0, 0, 0, usage("Unknown %s code `%s'", word, arg)
	case rest != "":
		return 0, 0, 0, usage("unknown character %c", rest[0])
	}
	return uint8(t), uint8(first), uint8(last), nil
}

// icmpName returns the name of a type with its codes, or nothing.
func icmpName(f Family, typ, low, high uint8) string {
	names := icmpTypes
	if f == IPv6 {
		names = icmp6Types
	}
	for _, t := range names {
		if t.typ == typ && t.low == low && t.high == high {
			return t.name
		}
	}
	return ""
}

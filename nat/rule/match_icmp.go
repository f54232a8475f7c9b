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

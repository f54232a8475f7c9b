package rule

import (
	"strings"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

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

package rule

import (
	"strings"

	"uswitch/switch/frame"
)

// portOptions are the two that tcp and udp have in common.
var portOptions = []option{
	{name: "source-port", also: "sport", args: 1, not: true, twice: "Only one `--source-port' allowed"},
	{name: "destination-port", also: "dport", args: 1, not: true, twice: "Only one `--destination-port' allowed"},
}

// tcpMatch is -m tcp.
type tcpMatch struct {
	src, dst  portRange
	mask, cmp frame.TCPFlags // the flags looked at, and those that must be set among them
	notFlags  bool
}

func (m *tcpMatch) name() string { return "tcp" }

func (m *tcpMatch) options() []option {
	const group, twice = "flags", "Only one of `--syn' or `--tcp-flags'  allowed"
	return append(portOptions[:2:2],
		option{name: "syn", not: true, group: group, twice: twice},
		option{name: "tcp-flags", args: 2, not: true, group: group, twice: twice},
		option{name: "tcp-option", args: 1, not: true, refuse: "TCP options are not looked at"})
}

func (m *tcpMatch) set(g given) (err error) {
	switch g.option {
	case "source-port":
		m.src, err = transportPorts(g)
	case "destination-port":
		m.dst, err = transportPorts(g)
	case "syn":
		m.mask, m.cmp, m.notFlags = frame.FIN|frame.SYN|frame.RST|frame.ACK, frame.SYN, g.invert
	case "tcp-flags":
		m.notFlags = g.invert
		if m.mask, err = parseTCPFlags(g.args[0]); err == nil {
			m.cmp, err = parseTCPFlags(g.args[1])
		}
	}
	return err
}

func (m *tcpMatch) finish(s *spec) error {
	if !s.proto.is(frame.ProtoTCP) {
		return usage("TCP match requires '-p tcp'")
	}
	return nil
}

func (m *tcpMatch) holds(p *Packet) bool {
	return !p.Fragment && m.src.contains(p.Tuple.SrcPort) && m.dst.contains(p.Tuple.DstPort) &&
		(p.TCPFlags&m.mask == m.cmp) != m.notFlags
}

func (m *tcpMatch) save(b *strings.Builder) {
	m.src.save(b, "sport")
	m.dst.save(b, "dport")
	if m.hasFlags() {
		writeNot(b, m.notFlags)
		b.WriteString(" --tcp-flags " + flagNames(m.mask) + " " + flagNames(m.cmp))
	}
}

func (m *tcpMatch) list(b *strings.Builder, numeric bool) {
	b.WriteString(" tcp")
	m.src.list(b, "spt", "tcp", numeric)
	m.dst.list(b, "dpt", "tcp", numeric)
	if !m.hasFlags() {
		return
	}
	b.WriteString(" flags:" + bang(m.notFlags))
	if numeric {
		b.WriteString(flagBits(m.mask) + "/" + flagBits(m.cmp))
		return
	}
	b.WriteString(flagNames(m.mask) + "/" + flagNames(m.cmp))
}

// hasFlags reports whether the rule says anything about the flags; NONE of NONE says nothing.
func (m *tcpMatch) hasFlags() bool { return m.mask != 0 || m.cmp != 0 || m.notFlags }

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

// tcpFlagNames are the flags that --tcp-flags knows, in the order in which they are printed.
var tcpFlagNames = []struct {
	name string
	flag frame.TCPFlags
}{
	{"FIN", frame.FIN}, {"SYN", frame.SYN}, {"RST", frame.RST}, {"PSH", frame.PSH}, {"ACK", frame.ACK}, {"URG", frame.URG},
}

// allTCPFlags is what ALL means.
const allTCPFlags = frame.FIN | frame.SYN | frame.RST | frame.PSH | frame.ACK | frame.URG

// parseTCPFlags reads a list of flags with commas, or ALL, or NONE.
func parseTCPFlags(arg string) (flags frame.TCPFlags, err error) {
next:
	for word := range strings.SplitSeq(arg, ",") {
		switch {
		case strings.EqualFold(word, "ALL"):
			flags |= allTCPFlags
			continue
		case strings.EqualFold(word, "NONE"):
			continue
		}
		for _, f := range tcpFlagNames {
			if strings.EqualFold(word, f.name) {
				flags |= f.flag
				continue next
			}
		}
		return 0, usage("Unknown TCP flag `%s'", word)
	}
	return flags, nil
}

// flagNames prints flags as parseTCPFlags reads them.
func flagNames(flags frame.TCPFlags) string {
	var names []string
	for _, f := range tcpFlagNames {
		if flags&f.flag != 0 {
			names = append(names, f.name)
		}
	}
	if len(names) == 0 {
		return "NONE"
	}
	return strings.Join(names, ",")
}

// flagBits prints flags as a numeric listing has them.
func flagBits(flags frame.TCPFlags) string {
	const digits = "0123456789ABCDEF"
	return "0x" + string(digits[flags>>4]) + string(digits[flags&15])
}

// udpMatch is -m udp.
type udpMatch struct{ src, dst portRange }

func (m *udpMatch) name() string      { return "udp" }
func (m *udpMatch) options() []option { return portOptions }

func (m *udpMatch) set(g given) (err error) {
	if g.option == "source-port" {
		m.src, err = transportPorts(g)
	} else {
		m.dst, err = transportPorts(g)
	}
	return err
}

func (m *udpMatch) finish(s *spec) error {
	if !s.proto.is(frame.ProtoUDP) {
		return usage("UDP match requires '-p udp'")
	}
	return nil
}

func (m *udpMatch) holds(p *Packet) bool {
	return !p.Fragment && m.src.contains(p.Tuple.SrcPort) && m.dst.contains(p.Tuple.DstPort)
}

func (m *udpMatch) save(b *strings.Builder) {
	m.src.save(b, "sport")
	m.dst.save(b, "dport")
}

func (m *udpMatch) list(b *strings.Builder, numeric bool) {
	b.WriteString(" udp")
	m.src.list(b, "spt", "udp", numeric)
	m.dst.list(b, "dpt", "udp", numeric)
}

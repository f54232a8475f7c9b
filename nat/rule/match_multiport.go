package rule

import (
	"strings"

	"uswitch/switch/frame"
)

// multiportMatch is -m multiport: up to 15 ports, a range counting as two.
type multiportMatch struct {
	which  string // sports, dports, or ports for either
	ports  []portRange
	invert bool
	proto  string // for the names of services
}

// multiportNames are the spellings of the options and the short form that is printed.
var multiportNames = map[string]string{"source-ports": "sports", "destination-ports": "dports", "ports": "ports"}

func (m *multiportMatch) name() string { return "multiport" }

func (m *multiportMatch) options() []option {
	const group = "ports"
	return []option{
		{name: "source-ports", also: "sports", args: 1, not: true, group: group},
		{name: "destination-ports", also: "dports", args: 1, not: true, group: group},
		{name: "ports", args: 1, not: true, group: group},
	}
}

func (m *multiportMatch) set(g given) error {
	m.which, m.invert = multiportNames[g.option], g.invert
	slots := 0
	for part := range strings.SplitSeq(g.args[0], ",") {
		low, high, isRange := strings.Cut(part, ":")
		var r portRange
		if err := port(low, &r.low); err != nil {
			return err
		}
		r.high = r.low
		slots++
		if isRange {
			if err := port(high, &r.high); err != nil {
				return err
			}
			if r.low >= r.high {
				return usage("invalid portrange specified")
			}
			slots++
		}
		m.ports = append(m.ports, r)
	}
	if slots > 15 {
		return usage("too many ports specified")
	}
	return nil
}

func (m *multiportMatch) finish(s *spec) error {
	switch {
	case s.proto.number == 0:
		return usage("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'")
	case s.proto.invert:
		return usage("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP")
	}
	switch s.proto.number {
	case frame.ProtoTCP, frame.ProtoUDP, protoUDPLite, protoSCTP, protoDCCP:
	default:
		return usage("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP")
	}
	if m.which == "" {
		return usage("multiport expects an option: --sports, --dports or --ports")
	}
	m.proto = protocolName(s.proto.number)
	return nil
}

func (m *multiportMatch) holds(p *Packet) bool {
	if p.Fragment {
		return false
	}
	found := false
	for _, r := range m.ports {
		switch m.which {
		case "sports":
			found = found || r.contains(p.Tuple.SrcPort)
		case "dports":
			found = found || r.contains(p.Tuple.DstPort)
		default:
			found = found || r.contains(p.Tuple.SrcPort) || r.contains(p.Tuple.DstPort)
		}
	}
	return found != m.invert
}

func (m *multiportMatch) save(b *strings.Builder) {
	writeNot(b, m.invert)
	b.WriteString(" --" + m.which + " " + m.text(true))
}

func (m *multiportMatch) list(b *strings.Builder, numeric bool) {
	b.WriteString(" multiport " + m.which + " ")
	if m.invert {
		b.WriteString(" !")
	}
	b.WriteString(m.text(numeric))
}

// text returns the ports with commas.
func (m *multiportMatch) text(numeric bool) string {
	var parts []string
	for _, r := range m.ports {
		part := serviceName(r.low, m.proto, numeric)
		if r.high != r.low {
			part += ":" + serviceName(r.high, m.proto, numeric)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ",")
}

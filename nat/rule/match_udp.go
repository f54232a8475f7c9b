package rule

import (
	"strings"

	"uswitch/switch/frame"
)

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

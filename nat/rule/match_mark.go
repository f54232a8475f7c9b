package rule

import "strings"

// markMatch is -m mark.
type markMatch struct {
	value, mask uint32
	invert      bool
}

func (m *markMatch) name() string       { return "mark" }
func (m *markMatch) finish(*spec) error { return nil }

func (m *markMatch) options() []option {
	return []option{{name: "mark", args: 1, not: true, must: true}}
}

func (m *markMatch) set(g given) (err error) {
	var ok bool
	m.invert = g.invert
	if m.value, m.mask, ok = parseMark(g.args[0], true); !ok {
		return badValue("mark", "mark")
	}
	return nil
}

func (m *markMatch) holds(p *Packet) bool { return (p.Mark&m.mask == m.value) != m.invert }

func (m *markMatch) save(b *strings.Builder) {
	writeNot(b, m.invert)
	b.WriteString(" --mark " + m.text())
}

func (m *markMatch) list(b *strings.Builder, _ bool) {
	b.WriteString(" mark match")
	writeNot(b, m.invert)
	b.WriteString(" " + m.text())
}

// text returns the value, with its mask unless that is all ones.
func (m *markMatch) text() string {
	if m.mask == ^uint32(0) {
		return hex(m.value)
	}
	return hex(m.value) + "/" + hex(m.mask)
}

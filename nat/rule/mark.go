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

// setMark is the target MARK: the packet's mark becomes mark&^mask ^ value, and evaluation goes on. Every option is one
// case of this (libxt_MARK.c, revision 2).
type setMark struct {
	value, mask uint32
	given       bool
}

func (t *setMark) name() string { return "MARK" }
func (t *setMark) place() place { return place{} }

func (t *setMark) options() []option {
	const group = "mark"
	return []option{
		{name: "set-xmark", args: 1, group: group},
		{name: "set-mark", args: 1, group: group},
		{name: "and-mark", args: 1, group: group},
		{name: "or-mark", args: 1, group: group},
		{name: "xor-mark", args: 1, group: group},
	}
}

func (t *setMark) set(g given) error {
	value, mask, ok := parseMark(g.args[0], g.option == "set-mark" || g.option == "set-xmark")
	if !ok {
		return badValue("MARK", g.option)
	}
	t.given = true
	switch g.option {
	case "set-xmark":
		t.value, t.mask = value, mask
	case "set-mark":
		t.value, t.mask = value, value|mask
	case "and-mark":
		t.value, t.mask = 0, ^value
	case "or-mark":
		t.value, t.mask = value, value
	case "xor-mark":
		t.value, t.mask = value, 0
	}
	return nil
}

func (t *setMark) finish(*spec) error {
	if !t.given {
		return usage("MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required")
	}
	return nil
}

// apply returns the new mark of a packet.
func (t *setMark) apply(mark uint32) uint32 { return mark&^t.mask ^ t.value }

func (t *setMark) save(b *strings.Builder) {
	b.WriteString(" --set-xmark " + hex(t.value) + "/" + hex(t.mask))
}

func (t *setMark) list(b *strings.Builder, _ bool) {
	b.WriteString(" MARK ")
	switch {
	case t.value == 0:
		b.WriteString("and " + hex(^t.mask))
	case t.value == t.mask:
		b.WriteString("or " + hex(t.value))
	case t.mask == 0:
		b.WriteString("xor " + hex(t.value))
	case t.mask == ^uint32(0):
		b.WriteString("set " + hex(t.value))
	default:
		b.WriteString("xset " + hex(t.value) + "/" + hex(t.mask))
	}
}

// parseMark reads a mark, with a mask behind a slash where that is allowed.
func parseMark(arg string, masked bool) (value, mask uint32, ok bool) {
	word, rest, slash := strings.Cut(arg, "/")
	mask = ^uint32(0)
	if slash {
		m, good := parseNumber(rest, 1<<32-1)
		if !good || !masked {
			return 0, 0, false
		}
		mask = uint32(m)
	}
	v, ok := parseNumber(word, 1<<32-1)
	return uint32(v), mask, ok
}
